"""Speech on disk: a shard is one file of 16-bit samples, and one line of JSON for each utterance."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Utterance:
    """An utterance in a shard: where its samples lie, what it says, and who says it."""

    at: int
    samples: int
    text: str
    speaker: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE


class Shard:
    """A finished shard. Its samples are memory-mapped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        self.utterances = [Utterance(row["at"], row["samples"], row["text"], row["speaker"]) for row in lines]
        self._pcm = np.memmap(path.with_suffix(".i16"), dtype="<i2", mode="r") if lines else np.zeros(0, np.int16)

    @property
    def group(self) -> str:
        """The name of the data set or the voice: the file's name up to the last dash."""
        return self.path.stem.rpartition("-")[0]

    def pcm(self, utterance: Utterance) -> FloatArray:
        """The samples of an utterance, float32 `(samples,)` in [-1, 1]."""
        stored = self._pcm[utterance.at : utterance.at + utterance.samples]
        return np.multiply(stored, 1 / 32768, dtype=np.float32)


def shards(folder: Path) -> Iterator[Shard]:
    """Yield every finished shard of a folder, in order of name."""
    for path in sorted(folder.glob("*.jsonl")):
        yield Shard(path)


def write_shard(path: Path, spoken: Iterable[tuple[FloatArray, Utterance]]) -> None:
    """Write a shard atomically: `path` appears once all samples are on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    at = 0
    with path.with_suffix(".i16").open("wb") as audio, partial.open("w", encoding="utf-8") as lines:
        for pcm, utterance in spoken:
            audio.write((np.clip(pcm, -1, 1) * 32767).astype("<i2").tobytes())
            lines.write(json.dumps(asdict(utterance) | {"at": at, "samples": len(pcm)}) + "\n")
            at += len(pcm)
    partial.replace(path)

"""Write shards of recorded speech, from any data set that asrd reads."""

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.quant.data import Clip, read
from asrd.training.store import Utterance, write_shard
from asrd.training.text import labels

PER_SHARD = 750
"""Clips per shard: about an hour."""

_MARGIN = round(0.15 * SAMPLE_RATE)
_LONGEST_S = 30.0
"""Whisper has positions for no more."""


def trimmed(pcm: FloatArray) -> FloatArray:
    """Trim the silence at either end to 0.15 s and scale the peak to 0.7; returns an empty array for a silent clip."""
    peak = float(np.abs(pcm).max(initial=0.0))
    loud = np.flatnonzero(np.abs(pcm) > 0.03 * peak)
    if peak < 1e-3 or not len(loud):
        return pcm[:0]
    return pcm[max(0, int(loud[0]) - _MARGIN) : int(loud[-1]) + _MARGIN] / peak * 0.7


def recorded(
    clips: Sequence[Clip], held_out: Collection[str] = (), *, notice: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[FloatArray, Utterance]]:
    """Yield the clips of 0.3 to 30 s that are spelled out without digits and whose text is not held out. notice: called
    with what is wrong with a clip that cannot be read.
    """
    unheard = frozenset(map(labels, held_out))
    for clip in clips:
        try:
            text, pcm = labels(clip.text), trimmed(read(clip))
        except AudioError as error:
            notice(f"skipped {error}")
            continue
        spelled_out = text and not any(letter.isdigit() for letter in clip.text)
        if spelled_out and text not in unheard and 0.3 < len(pcm) / SAMPLE_RATE < _LONGEST_S:
            yield pcm, Utterance(0, len(pcm), text, clip.speaker)


def record(
    name: str,
    clips: Sequence[Clip],
    folder: Path,
    held_out: Collection[str] = (),
    seed: int = 0,
    *,
    notice: Callable[[str], None] = lambda _: None,
) -> Iterator[Path]:
    """Write a data set's shards, of clips in random order, and yield their paths; existing shards are kept. notice: as
    for `recorded`.
    """
    clips = random.Random(seed).sample(clips, len(clips))
    for number, first in enumerate(range(0, len(clips), PER_SHARD)):
        path = folder / f"{name}-{number:03d}.jsonl"
        if not path.exists():
            write_shard(path, recorded(clips[first : first + PER_SHARD], held_out, notice=notice))
        yield path

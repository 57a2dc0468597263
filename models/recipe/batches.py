"""What the network hears. Batch n depends on the seed, n and the plan alone, so that a run can go on at any n."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.models import Geometry
from asrd.models.recipe.align import frame_phones
from asrd.models.recipe.augment import Augmenter
from asrd.models.recipe.store import Shard, Utterance, shards
from asrd.models.recipe.vocabulary import spelling

UNKNOWN = -100
"""The class of a frame whose phone is not known: what torch's cross_entropy ignores."""


@dataclass(frozen=True, slots=True)
class Batch:
    """pcm: `(clips, samples)` of zero mean and unit variance, zero beyond `lengths`. letters: `(clips, most)`, of which
    `spelled` count. phones: `(clips, frames)`, `UNKNOWN` where they are not known.
    """

    pcm: FloatArray
    lengths: np.ndarray
    letters: np.ndarray
    spelled: np.ndarray
    phones: np.ndarray


@dataclass(frozen=True, slots=True)
class Stretch:
    """Of an utterance, from second `first` to second `last`, where `text` is said."""

    utterance: Utterance
    first: float
    last: float
    text: str


def whole(utterance: Utterance) -> Stretch:
    """All of it."""
    return Stretch(utterance, 0.0, utterance.seconds, utterance.text)


def stretch(utterance: Utterance, seconds: float, rng: np.random.Generator) -> Stretch:
    """Words that last about `seconds`, with up to half of the sound of their neighbours, as a window cuts them.

    Needs the times of the words. Longer than `seconds` only where a single word is.
    """
    words, room = utterance.words, seconds - 0.2
    first = int(rng.integers(len(words)))
    end = first + 1
    while end < len(words) and words[end][2] - words[first][1] < room:
        end += 1
    while first > 0 and words[end - 1][2] - words[first - 1][1] < room:
        first -= 1
    start, stop = words[first][1], words[end - 1][2]
    before = start - (words[first - 1][1] if first else 0.0)
    after = (words[end][2] if end < len(words) else utterance.seconds) - stop
    start -= rng.uniform(0, 0.5) * min(0.4, before)
    stop += rng.uniform(0, 0.5) * min(0.4, after)
    return Stretch(utterance, max(0.0, start), stop, " ".join(word for word, _, _ in words[first:end]))


class Batches:
    """Draws utterances from the shards of a folder, each group as often as its share says."""

    def __init__(self, folder: Path, geometry: Geometry, seed: int, shares: Mapping[str, float]) -> None:
        """shares: by the group's name; groups that are not named are drawn as if theirs was 0.1."""
        self._geometry, self._seed = geometry, seed
        self._augment = Augmenter(seed)
        found: dict[str, list[tuple[Shard, Utterance]]] = {}
        for shard in shards(folder):
            found.setdefault(shard.group, []).extend((shard, utterance) for utterance in shard.utterances)
        found = {name: sorted(rows, key=lambda row: row[1].samples) for name, rows in sorted(found.items()) if rows}
        self.hours = {name: sum(row[1].seconds for row in rows) / 3600 for name, rows in found.items()}
        self._rows = list(found.values())
        self._seconds = [np.array([row[1].seconds for row in rows]) for rows in self._rows]
        self._timed = [[index for index, row in enumerate(rows) if len(row[1].words) > 2] for rows in self._rows]
        weights = np.array([shares.get(name, 0.1) for name in found])
        self._weights = weights / weights.sum()

    def __call__(self, number: int, longest: float, total: float) -> Batch:
        """Batch `number`: about `total` seconds in clips equally long, 1.2 s to `longest`, more often short."""
        rng = np.random.default_rng((self._seed, number))
        seconds = 1.2 + (longest - 1.2) * rng.random() ** 1.3
        count = max(2, int(total / (seconds + 0.3)))
        drawn = [self._draw(int(group), seconds, rng) for group in rng.choice(len(self._rows), count, p=self._weights)]
        heard, phones = zip(*(self._sound(shard, part, rng) for shard, part in drawn), strict=True)
        return collate(list(heard), [spelling(part.text) for _, part in drawn], list(phones))

    def _draw(self, group: int, seconds: float, rng: np.random.Generator) -> tuple[Shard, Stretch]:
        """Half of the time, where words have times, a stretch of something longer; else what is nearly that long."""
        rows, lengths, timed = self._rows[group], self._seconds[group], self._timed[group]
        longer = int(np.searchsorted(timed, np.searchsorted(lengths, seconds)))
        if rng.random() < 0.5 and longer < len(timed):
            shard, utterance = rows[timed[int(rng.integers(longer, len(timed)))]]
            return shard, stretch(utterance, seconds, rng)
        most = max(1, int(np.searchsorted(lengths, 1.05 * seconds)))
        least = min(int(np.searchsorted(lengths, 0.8 * seconds)), max(0, most - 20))
        shard, utterance = rows[int(rng.integers(least, most))]
        return shard, whole(utterance)

    def _sound(self, shard: Shard, part: Stretch, rng: np.random.Generator) -> tuple[FloatArray, np.ndarray]:
        """Normalised samples, and the phone of each frame."""
        pcm = shard.pcm(part.utterance)[int(part.first * SAMPLE_RATE) : int(part.last * SAMPLE_RATE)]
        tempo = rng.uniform(0.9, 1.1) if rng.random() < 0.5 else 1.0
        if (
            tempo != 1.0
        ):  # faster and higher, or slower and lower; what linear interpolation leaves is no worse than noise
            pcm = np.interp(np.arange(0, len(pcm) - 1, tempo), np.arange(len(pcm)), pcm).astype(np.float32)
        complete = part.text == part.utterance.text
        lead, trail = (int(rng.uniform(0, 0.3) * SAMPLE_RATE) if complete else 0 for _ in range(2))
        pcm = normalized(self._augment(np.pad(pcm, (lead, trail)), rng))
        frames = self._geometry.frames(len(pcm))
        if not part.utterance.phones:
            return pcm, np.full(frames, UNKNOWN)
        middles = (np.arange(frames) * self._geometry.stride + self._geometry.receptive_field / 2 - lead) / SAMPLE_RATE
        return pcm, frame_phones(part.utterance.phones, middles * tempo + part.first)


def normalized(pcm: FloatArray) -> FloatArray:
    """Zero mean and unit variance, as transformers' Wav2Vec2FeatureExtractor has it."""
    scaled: FloatArray = (pcm - pcm.mean()) / np.sqrt(pcm.var() + 1e-7)
    return scaled


def collate(heard: list[FloatArray], letters: list[list[int]], phones: list[np.ndarray]) -> Batch:
    """Rows of unequal length in one batch."""
    return Batch(
        pcm=_padded(heard, 0).astype(np.float32),
        lengths=np.array([len(row) for row in heard]),
        letters=_padded([np.array(row, np.int64) for row in letters], 0).astype(np.int64),
        spelled=np.array([len(row) for row in letters]),
        phones=_padded(phones, UNKNOWN).astype(np.int64),
    )


def _padded(rows: list[np.ndarray], fill: int) -> np.ndarray:
    table = np.full((len(rows), max(map(len, rows))), fill, np.result_type(*rows))
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table

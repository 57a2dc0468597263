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
from asrd.models.recipe.store import shards
from asrd.models.recipe.stretches import Heard, Spoken, splice, stretch, whole
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


SPLICED, PARTIAL = 0.35, 0.3
"""How many clips are splices, and parts of something longer, of those that can be."""

EMPTY = 0.04
"""How many have no words."""


class Batches:
    """Draws utterances from the shards of a folder, each group as often as its share says."""

    def __init__(self, folder: Path, geometry: Geometry, seed: int, shares: Mapping[str, float]) -> None:
        """shares: by the group's name; groups that are not named are drawn as if theirs was 0.1."""
        self._geometry, self._seed = geometry, seed
        self._augment = Augmenter(seed)
        found: dict[str, list[Spoken]] = {}
        for shard in shards(folder):
            found.setdefault(shard.group, []).extend((shard, utterance) for utterance in shard.utterances)
        found = {name: sorted(rows, key=lambda row: row[1].samples) for name, rows in sorted(found.items()) if rows}
        self.hours = {name: sum(row[1].seconds for row in rows) / 3600 for name, rows in found.items()}
        self._rows = list(found.values())
        self._seconds = [np.array([row[1].seconds for row in rows]) for rows in self._rows]
        self._timed = [[index for index, row in enumerate(rows) if len(row[1].words) > 2] for rows in self._rows]
        self._speakers = [self._by_speaker(rows, timed) for rows, timed in zip(self._rows, self._timed, strict=True)]
        weights = np.array([shares.get(name, 0.1) for name in found])
        self._weights = weights / weights.sum()

    def __call__(self, number: int, longest: float, total: float) -> Batch:
        """Batch `number`: about `total` seconds in clips equally long, 1.2 s to `longest`, more often short."""
        rng = np.random.default_rng((self._seed, number))
        seconds = 1.2 + (longest - 1.2) * rng.random() ** 1.3
        count = max(2, int(total / (seconds + 0.3)))
        groups = rng.choice(len(self._rows), count, p=self._weights)
        drawn = [self._draw(int(group), seconds, rng) for group in groups]
        heard, phones = zip(*(self._sound(clip, rng) for clip in drawn), strict=True)
        return collate(list(heard), [spelling(clip.text) for clip in drawn], list(phones))

    @staticmethod
    def _by_speaker(rows: list[Spoken], timed: list[int]) -> list[list[int]]:
        """The rows of each speaker whose words have times; at the place of every such row, so that one who says more
        is drawn more often.
        """
        found: dict[str, list[int]] = {}
        for index in timed:
            found.setdefault(rows[index][1].speaker, []).append(index)
        return [found[rows[index][1].speaker] for index in timed]

    def _draw(self, group: int, seconds: float, rng: np.random.Generator) -> Heard:
        """Something that is nearly as long; or, where words have times, a stretch of something longer, or a splice."""
        rows, lengths, timed = self._rows[group], self._seconds[group], self._timed[group]
        kind = rng.random()
        if kind < EMPTY:
            return Heard(
                self._augment.nothing(int(seconds * SAMPLE_RATE), rng), "", [("SIL", 0.0, seconds)], whole=False
            )
        if timed and kind < EMPTY + SPLICED:
            own = self._speakers[group][int(rng.integers(len(timed)))]
            return splice(lambda: rows[own[int(rng.integers(len(own)))]], seconds, rng)
        longer = int(np.searchsorted(timed, np.searchsorted(lengths, seconds)))
        if kind < EMPTY + SPLICED + PARTIAL and longer < len(timed):
            return stretch(rows[timed[int(rng.integers(longer, len(timed)))]], seconds, rng)
        most = max(1, int(np.searchsorted(lengths, 1.05 * seconds)))
        least = min(int(np.searchsorted(lengths, 0.8 * seconds)), max(0, most - 20))
        return whole(rows[int(rng.integers(least, most))])

    def _sound(self, clip: Heard, rng: np.random.Generator) -> tuple[FloatArray, np.ndarray]:
        """Normalised samples, and the phone of each frame."""
        pcm = clip.pcm
        tempo = rng.uniform(0.85, 1.18) if rng.random() < 0.6 else 1.0
        if tempo != 1.0:
            # faster and higher, or slower and lower; what linear interpolation leaves is no worse than noise
            pcm = np.interp(np.arange(0, len(pcm) - 1, tempo), np.arange(len(pcm)), pcm).astype(np.float32)
        lead, trail = (int(rng.uniform(0, 0.3) * SAMPLE_RATE) if clip.whole else 0 for _ in range(2))
        pcm = normalized(self._augment(np.pad(pcm, (lead, trail)), rng))
        frames = self._geometry.frames(len(pcm))
        if not clip.phones:
            return pcm, np.full(frames, UNKNOWN)
        middles = (np.arange(frames) * self._geometry.stride + self._geometry.receptive_field / 2 - lead) / SAMPLE_RATE
        return pcm, frame_phones(clip.phones, middles * tempo)


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

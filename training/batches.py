"""What the network hears. Batch n depends on the seed, n and the plan alone, so that a run can go on at any n."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.training.augment import Augmenter
from asrd.training.library import Library
from asrd.training.plan import Plan
from asrd.training.windows import Clip

_SHORTEST = SAMPLE_RATE * 3 // 10
"""Samples of a clip: something must be heard."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """pcm: `(clips, samples)`, zero beyond `lengths`. letters: `(clips, most)`, of which `spelled` count. first, last:
    of the frames that say them, `(clips,)`; `last` may lie beyond the clip.
    """

    pcm: FloatArray
    lengths: np.ndarray
    letters: np.ndarray
    spelled: np.ndarray
    first: np.ndarray
    last: np.ndarray


class Batches:
    """What both kinds have in common: where speech comes from, and how it is changed."""

    aligned = True
    """Whether the letters of the speech must have positions."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Raises UsageError where `folder` holds nothing that the plan could draw."""
        self.library = Library(folder, plan.shares, aligned=self.aligned)
        self.plan, self._augment = plan, Augmenter(plan.seed)

    def __call__(self, number: int) -> Batch:
        """Batch `number`: about as many seconds as the plan says."""
        return collate(self.clips(number, np.random.default_rng((self.plan.seed, self.aligned, number))))

    def clips(self, number: int, rng: np.random.Generator) -> list[Clip]:
        """What is in batch `number`. rng: depends on nothing else."""
        raise NotImplementedError

    def heard(self, pcm: FloatArray, rng: np.random.Generator, silence_s: float) -> tuple[FloatArray, int]:
        """As it may sound elsewhere, of zero mean and unit variance, and the samples of silence before it."""
        lead, trail = (int(rng.uniform(0, silence_s) * SAMPLE_RATE) for _ in range(2))
        trail += max(0, _SHORTEST - len(pcm) - lead - trail)
        return normalized(self._augment(np.pad(pcm, (lead, trail)), rng)), lead

    def nothing(self, samples: int, rng: np.random.Generator) -> Clip:
        """Sound without words."""
        pcm = normalized(self._augment.nothing(samples, rng)) * np.float32(rng.uniform(0.2, 1))
        return Clip(pcm, np.zeros(0, np.int64))


def normalized(pcm: FloatArray) -> FloatArray:
    """Zero mean and unit variance, as transformers' Wav2Vec2FeatureExtractor has it."""
    scaled: FloatArray = (pcm - pcm.mean()) / np.sqrt(pcm.var() + 1e-7)
    return scaled


def collate(clips: Sequence[Clip]) -> Batch:
    """Clips of unequal length in one batch."""
    return Batch(
        pcm=padded([clip.pcm for clip in clips]).astype(np.float32),
        lengths=np.array([len(clip.pcm) for clip in clips]),
        letters=padded([clip.letters for clip in clips]).astype(np.int64),
        spelled=np.array([len(clip.letters) for clip in clips]),
        first=np.array([clip.first for clip in clips]),
        last=np.array([clip.last for clip in clips]),
    )


def padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of unequal length in one table, zeros behind them."""
    table = np.zeros((len(rows), max(1, *map(len, rows))), np.result_type(*rows))
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table


def faster(pcm: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, float]:
    """Six of ten faster and higher, or slower and lower, and by what factor.

    What linear interpolation leaves is no worse than noise.
    """
    tempo = rng.uniform(0.88, 1.14) if rng.random() < 0.6 else 1.0
    if tempo == 1.0:
        return pcm, tempo
    return np.interp(np.arange(0, len(pcm) - 1, tempo), np.arange(len(pcm)), pcm).astype(np.float32), tempo

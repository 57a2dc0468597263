"""Make the batches that the network learns from.

Batch n depends only on the seed, n and the plan, so that a run can resume at any n.
"""

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
"""Fewest samples of a clip, silence included."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Clips padded to one length, and what their frames say."""

    pcm: FloatArray
    """`(clips, samples)`, zero beyond `lengths`."""
    lengths: np.ndarray
    """Samples of each clip, `(clips,)`."""
    letters: np.ndarray
    """Labels, `(clips, most)`, of which the first `spelled` of each clip count."""
    spelled: np.ndarray
    """Letters of each clip, `(clips,)`."""
    first: np.ndarray
    """First of the frames that say the letters, `(clips,)`."""
    last: np.ndarray
    """End (exclusive) of the frames that say the letters, `(clips,)`; may lie beyond the clip."""


class Batches:
    """Base class of both kinds of batches: draws speech and augments it."""

    aligned = True
    """True where the letters of the speech must have positions."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Raises UsageError where `folder` holds nothing that the plan can draw."""
        self.library = Library(folder, plan.shares, aligned=self.aligned)
        self.plan, self._augment = plan, Augmenter(plan.seed)

    def __call__(self, number: int) -> Batch:
        """Make batch `number`, of about as many seconds as the plan says."""
        return collate(self.clips(number, np.random.default_rng((self.plan.seed, self.aligned, number))))

    def clips(self, number: int, rng: np.random.Generator) -> list[Clip]:
        """Make the clips of batch `number`. rng: seeded for this batch alone."""
        raise NotImplementedError

    def heard(self, pcm: FloatArray, rng: np.random.Generator, silence_s: float) -> tuple[FloatArray, int]:
        """Augment speech and bring it to zero mean and unit variance; return it, and the samples of silence before it.

        silence_s: the most silence to add at either end.
        """
        lead, trail = (int(rng.uniform(0, silence_s) * SAMPLE_RATE) for _ in range(2))
        trail += max(0, _SHORTEST - len(pcm) - lead - trail)
        return normalized(self._augment(np.pad(pcm, (lead, trail)), rng)), lead

    def nothing(self, samples: int, rng: np.random.Generator) -> Clip:
        """Make a clip of sound without words."""
        pcm = normalized(self._augment.nothing(samples, rng)) * np.float32(rng.uniform(0.2, 1))
        return Clip(pcm, np.zeros(0, np.int64))


def normalized(pcm: FloatArray) -> FloatArray:
    """Bring samples to zero mean and unit variance, as transformers' Wav2Vec2FeatureExtractor does."""
    scaled: FloatArray = (pcm - pcm.mean()) / np.sqrt(pcm.var() + 1e-7)
    return scaled


def collate(clips: Sequence[Clip]) -> Batch:
    """Pad clips of unequal length into one batch."""
    return Batch(
        pcm=padded([clip.pcm for clip in clips]).astype(np.float32),
        lengths=np.array([len(clip.pcm) for clip in clips]),
        letters=padded([clip.letters for clip in clips]).astype(np.int64),
        spelled=np.array([len(clip.letters) for clip in clips]),
        first=np.array([clip.first for clip in clips]),
        last=np.array([clip.last for clip in clips]),
    )


def padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Stack rows of unequal length into one table, padded with zeros."""
    table = np.zeros((len(rows), max(1, *map(len, rows))), np.result_type(*rows))
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table


def faster(pcm: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, float]:
    """Change speed and pitch together in six of ten clips; return the samples and the factor.

    The artefacts of linear interpolation are no worse than noise.
    """
    tempo = rng.uniform(0.88, 1.14) if rng.random() < 0.6 else 1.0
    if tempo == 1.0:
        return pcm, tempo
    return np.interp(np.arange(0, len(pcm) - 1, tempo), np.arange(len(pcm)), pcm).astype(np.float32), tempo

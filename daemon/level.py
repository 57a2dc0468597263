"""The level of an utterance, for input normalisation.

Wav2Vec2 processors bring a whole utterance to zero mean and unit variance. A stream has no whole
utterance yet, and a window alone would make the level jump from window to window; so the moments
are taken over everything heard of the utterance so far.
"""

import math

import numpy as np

from asrd.core.flow import FloatArray, Level


class Moments:
    """Running mean and variance. Fed in fixed blocks, the result does not depend on chunking."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0.0
        self._squares = 0.0

    def add(self, pcm: FloatArray) -> None:
        """Take `(n,)` more samples into account."""
        wide = pcm.astype(np.float64)
        self._count += len(wide)
        self._sum += float(np.add.reduce(wide))
        self._squares += float(wide @ wide)

    def level(self) -> Level:
        """Mean and standard deviation so far; an empty or silent past gives (0, 0)."""
        if not self._count:
            return Level(0.0, 0.0)
        mean = self._sum / self._count
        return Level(mean, math.sqrt(max(self._squares / self._count - mean * mean, 0.0)))


def normalize(pcm: FloatArray, level: Level) -> FloatArray:
    """Zero mean, unit variance; 1e-7 as in transformers' Wav2Vec2FeatureExtractor."""
    return ((pcm - level.mean) / math.sqrt(level.deviation**2 + 1e-7)).astype(np.float32)

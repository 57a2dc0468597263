"""The level of an utterance, for input normalisation.

Wav2Vec2 processors bring a whole utterance to zero mean and unit variance. A stream has no whole utterance yet, and
the level of a window alone would jump from window to window; so the moments are taken over all audio of the utterance
so far. The exception is a speaker who has become much quieter, or another, quieter speaker: normalised by the louder
audio before, they would not be recognised.
"""

import math
from collections import deque

import numpy as np

from asrd.core.flow import FloatArray, Level
from asrd.core.units import samples

RECENT = samples(1.2)
"""Length of the recent speech that the level may exceed by `ABOVE` only: two thirds of a window, so that little of
the louder audio is in it.
"""

IDLE = samples(0.9)
"""Length from which on a pause is not recent speech: three quarters of `RECENT`, so that noise is never made loud."""

ABOVE = 10 ** (10 / 20)
"""10 dB: speech varies by less from one second to the next. Measured on 50 utterances of 40 speakers, half of each
made 40 dB quieter: CER 64 % without this limit, 50 % with it, and 44 % without such a step, where it changes
nothing.
"""


class Moments:
    """Running mean and variance. Fed in fixed blocks, the result does not depend on chunking."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0.0
        self._squares = 0.0
        self._blocks: deque[tuple[int, float, float]] = deque()
        self._recent = 0

    def add(self, pcm: FloatArray, *, idle: bool = False) -> None:
        """Add `(n,)` samples.

        idle: they belong to a long pause, which says nothing about the speaker's recent level: speech from before the
        pause may still be in a window.
        """
        wide = pcm.astype(np.float64)
        block = (len(wide), float(np.add.reduce(wide)), float(wide @ wide))
        self._count += block[0]
        self._sum += block[1]
        self._squares += block[2]
        if idle:
            return
        self._blocks.append(block)
        self._recent += block[0]
        while self._recent - self._blocks[0][0] >= RECENT:
            self._recent -= self._blocks.popleft()[0]

    def level(self) -> Level:
        """Return mean and standard deviation so far; (0, 0) if nothing or only silence was added."""
        if not self._count:
            return Level(0.0, 0.0)
        mean, deviation = _of(self._count, self._sum, self._squares)
        recent = _of(*(sum(part) for part in zip(*self._blocks, strict=True)))[1] if self._blocks else deviation
        return Level(mean, min(deviation, ABOVE * recent))


def _of(count: float, total: float, squares: float) -> tuple[float, float]:
    """Return mean and standard deviation, given the sums of `count` values and of their squares."""
    mean = total / count
    return mean, math.sqrt(max(squares / count - mean * mean, 0.0))

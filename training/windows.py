"""Cut speech into windows as the daemon does.

A window of the daemon has context at either end, whose letters it drops. So the network is taught the letters of the
core alone, and only sees the rest.
"""

from dataclasses import dataclass

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE
from asrd.training.frontend import GEOMETRY
from asrd.training.vocabulary import LABELS

ALL = GEOMETRY.frames(MAX_WINDOW)
"""Frames of a window."""

EVERY = 1 << 30
"""End of the frames that count, where all of them do."""

_BOUNDARY = LABELS.index("|")
_MIDDLE = GEOMETRY.receptive_field // 2
_CONTEXT_S = (0.05, 0.5)
_OUTSIDE = 6000
"""Samples by which a window may be drawn beyond an utterance, to be moved back: so its edges occur more often."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A clip to learn from. pcm: `(samples,)`. letters: labels of what its frames from `first` to before `last` say,
    `(letters,)`.
    """

    pcm: FloatArray
    letters: np.ndarray
    first: int = 0
    last: int = EVERY


def window(pcm: FloatArray, letters: np.ndarray, middles: np.ndarray, rng: np.random.Generator) -> Clip:
    """Cut a random window, with context where the utterance goes on; a shorter utterance is kept whole.

    letters: labels of the utterance. middles: the sample that each of them is at.
    """
    spare = len(pcm) - MAX_WINDOW
    if spare <= 0:
        return Clip(pcm, letters)
    start = int(np.clip(rng.integers(-_OUTSIDE, spare + _OUTSIDE), 0, spare))
    left, right = rng.uniform(*_CONTEXT_S, 2) * SAMPLE_RATE
    first = 0 if start == 0 else int(np.ceil((left - _MIDDLE) / GEOMETRY.stride))
    last = ALL if start == spare else int((MAX_WINDOW - right - _MIDDLE) // GEOMETRY.stride) + 1
    return Clip(pcm[start : start + MAX_WINDOW], core(letters, middles - start, first, last), first, last)


def core(letters: np.ndarray, middles: np.ndarray, first: int, last: int) -> np.ndarray:
    """Select the letters at the frames from `first` to before `last` of a window, and those beyond an edge without
    context.

    A word boundary at either end is left out: a single frame decides whether it is heard.
    """
    half = GEOMETRY.stride / 2
    begin = -np.inf if first == 0 else first * GEOMETRY.stride + _MIDDLE - half
    end = np.inf if last >= ALL else (last - 1) * GEOMETRY.stride + _MIDDLE + half
    inside = letters[(middles >= begin) & (middles < end)]
    if len(inside) and inside[0] == _BOUNDARY:
        inside = inside[1:]
    return inside[:-1] if len(inside) and inside[-1] == _BOUNDARY else inside

"""Speech as the daemon cuts it, and new sentences made of old words.

A window of the daemon has context at either end, whose letters it drops. So the network is taught the letters of the
core alone, and sees the rest.

What is scarce is learnt by heart, sentence by sentence. Words of one speaker joined in an order that nobody said have
the same sound and no text to remember (Lam et al. 2021, "On-the-fly aligned data augmentation for sequence-to-sequence
ASR").
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE
from asrd.models.recipe.frontend import GEOMETRY
from asrd.models.recipe.library import Spoken
from asrd.models.recipe.vocabulary import LABELS

ALL = GEOMETRY.frames(MAX_WINDOW)
"""Frames of a window."""

EVERY = 1 << 30
"""The end of the frames that count, where all do."""

_BOUNDARY = LABELS.index("|")
_MIDDLE = GEOMETRY.receptive_field // 2
_CONTEXT_S = (0.05, 0.5)
_OUTSIDE = 6000
"""How many samples beyond an utterance a window is drawn, to be moved back: its edges are heard more often so."""

_PAUSE = SAMPLE_RATE // 10
"""Samples between the letters of two words that may be parted."""

_FADE = SAMPLE_RATE // 100
_RUN = 3
"""The most pauses that a piece of a splice reaches over."""

_TRIES = 10


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """pcm: `(samples,)`. letters: what its frames from `first` to before `last` say, `(letters,)` labels."""

    pcm: FloatArray
    letters: np.ndarray
    first: int = 0
    last: int = EVERY


Piece = tuple[FloatArray, str]
"""Samples, and what is said in them."""


def window(pcm: FloatArray, letters: np.ndarray, middles: np.ndarray, rng: np.random.Generator) -> Clip:
    """A window of an utterance, with context where the utterance goes on; all of it where it is no longer.

    letters: labels of the whole. middles: the sample each of them is at.
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
    """The letters at the frames from `first` to before `last` of a window; those beyond an edge without context, too.

    A word boundary at either end is left out: whether it is heard is a matter of a frame.
    """
    half = GEOMETRY.stride / 2
    begin = -np.inf if first == 0 else first * GEOMETRY.stride + _MIDDLE - half
    end = np.inf if last >= ALL else (last - 1) * GEOMETRY.stride + _MIDDLE + half
    inside = letters[(middles >= begin) & (middles < end)]
    if len(inside) and inside[0] == _BOUNDARY:
        inside = inside[1:]
    return inside[:-1] if len(inside) and inside[-1] == _BOUNDARY else inside


def cuts(spoken: Spoken) -> list[tuple[int, int]]:
    """Where words can be parted: the sample, in the middle of a pause or at an end, and the first letter behind it."""
    text, spans = spoken.text, spoken.spans
    found = [(0, 0)]
    for index in range(1, len(text) - 1):
        if text[index] == " " and spans[index + 1, 0] - spans[index - 1, 1] >= _PAUSE:
            found.append((int(spans[index - 1, 1] + spans[index + 1, 0]) // 2, index + 1))
    return [*found, (spoken.utterance.samples, len(text) + 1)]


def stretch(draw: Callable[[], Spoken], samples: int, rng: np.random.Generator) -> Piece:
    """Words from pause to pause that last up to `samples`, or the shortest of some tries, where pauses are rare."""
    shortest: Piece | None = None
    for _ in range(_TRIES):
        spoken = draw()
        places = cuts(spoken)
        first = int(rng.integers(len(places) - 1))
        last = first + 1
        while last + 1 < len(places) and places[last + 1][0] - places[first][0] < samples:
            last += 1
        while first > 0 and places[last][0] - places[first - 1][0] < samples:
            first -= 1
        piece = _between(spoken, places[first], places[last])
        if shortest is None or len(piece[0]) < len(shortest[0]):
            shortest = piece
        if len(shortest[0]) <= samples:
            break
    assert shortest is not None
    return shortest


def splice(draw: Callable[[], Spoken], samples: int, rng: np.random.Generator) -> Piece | None:
    """Pieces of several utterances, one after the other, up to `samples`; None where none is short enough.

    draw: gives utterances of one speaker.
    """
    pieces: list[Piece] = []
    left = samples
    for _ in range(_TRIES):
        spoken = draw()
        places = cuts(spoken)
        first = int(rng.integers(len(places) - 1))
        last = min(len(places) - 1, first + int(rng.integers(1, _RUN + 1)))
        pcm, text = _between(spoken, places[first], places[last])
        if 5 * _FADE <= len(pcm) <= left:
            pieces.append((_faded(pcm) * np.float32(10 ** (rng.uniform(-3, 3) / 20)), text))
            left -= len(pcm)
    if not pieces:
        return None
    return np.concatenate([pcm for pcm, _ in pieces]), " ".join(text for _, text in pieces)


def _between(spoken: Spoken, first: tuple[int, int], last: tuple[int, int]) -> Piece:
    return spoken.pcm[first[0] : last[0]], spoken.text[first[1] : last[1] - 1]


def _faded(pcm: FloatArray) -> FloatArray:
    """With 10 ms of silence rising and falling at its ends, for there to be no click."""
    faded, rising = pcm.copy(), np.linspace(0, 1, _FADE, dtype=np.float32)
    faded[:_FADE] *= rising
    faded[-_FADE:] *= rising[::-1]
    return faded

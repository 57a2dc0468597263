"""Cut utterances at pauses, and splice the parts into new sentences.

The network learns scarce data by heart, sentence by sentence. Words of one speaker joined in an order that nobody said
have the same sound and no text to remember (Lam et al. 2021, "On-the-fly aligned data augmentation for
sequence-to-sequence ASR").
"""

from collections.abc import Callable

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.training.library import Spoken

_PAUSE = SAMPLE_RATE // 10
"""Fewest samples between the letters of two words that may be parted."""

_FADE = SAMPLE_RATE // 100
_RUN = 3
"""The most parts, from pause to pause, in one piece of a splice."""

_TRIES = 10

Piece = tuple[FloatArray, str]
"""Samples, and what is said in them."""


def cuts(spoken: Spoken) -> list[tuple[int, int]]:
    """Find where words can be parted: the sample, mid-pause or at an end, and the first letter after it."""
    text, spans = spoken.text, spoken.spans
    found = [(0, 0)]
    for index in range(1, len(text) - 1):
        if text[index] == " " and spans[index + 1, 0] - spans[index - 1, 1] >= _PAUSE:
            found.append((int(spans[index - 1, 1] + spans[index + 1, 0]) // 2, index + 1))
    return [*found, (spoken.utterance.samples, len(text) + 1)]


def stretch(draw: Callable[[], Spoken], samples: int, rng: np.random.Generator) -> Piece:
    """Draw words from pause to pause that last up to `samples`, or the shortest of some tries where pauses are rare."""
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
    """Join pieces of several utterances, up to `samples`; returns None where none is short enough.

    draw: returns an utterance, always of the same speaker.
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
    """Fade in and out over 10 ms, to avoid clicks."""
    faded, rising = pcm.copy(), np.linspace(0, 1, _FADE, dtype=np.float32)
    faded[:_FADE] *= rising
    faded[-_FADE:] *= rising[::-1]
    return faded

"""Where to cut an utterance that has become too long: where it harms least."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import Samples, samples
from asrd.daemon.utterance import OpenUtterance

Words = Sequence[tuple[Samples, Samples]]
"""Where words are, as stream positions."""

SEEK = samples(4.0)
"""How long before the limit the search for a place begins."""

WIDE = samples(0.20)
"""Between words, a gap without letters as wide as this is taken at once. As the limit comes nearer, narrower ones
do, until any gap does: words that are 0.4 s long follow each other with gaps of a frame or two.
"""

BLOCK = samples(0.03)
"""Stretch over which loudness is taken where no gap is known: three pitch periods of a low voice."""


def place(spoken: OpenUtterance, words: Words, latest: int, least: float) -> int | None:
    """In what is not committed, before `latest`: in its last pause, or in a gap between words of at least `least`
    samples. None where there is neither.
    """
    stop = any(start < spoken.pause < end for start, end in words)  # within a word, as before a plosive
    if spoken.committed < spoken.pause <= latest and not stop:
        return spoken.pause
    return between_words(words, spoken.committed, latest, least)


def between_words(words: Words, after: int, before: int, least: float) -> int | None:
    """The middle of the widest gap of at least `least` samples whose middle is in `(after, before]`."""
    gaps = [(start - end, (start + end) // 2) for (_, end), (start, _) in pairwise(words)]
    wide = [(width, middle) for width, middle in gaps if width >= least and after < middle <= before]
    return max(wide)[1] if wide else None


def needed(left: int, seek: int) -> float:
    """How wide a gap has to be when `left` samples of the `seek` before the limit are left."""
    return WIDE * max(0.0, 2 * left / seek - 1)


def quietest(pcm: FloatArray) -> int:
    """The middle of the quietest `BLOCK` of `(n,)` samples, `n > BLOCK`; of several, the last."""
    energy = np.cumsum(np.concatenate([[0.0], np.square(pcm, dtype=np.float64)]))
    blocks = energy[BLOCK:] - energy[:-BLOCK]
    return len(blocks) - 1 - int(np.argmin(blocks[::-1])) + BLOCK // 2

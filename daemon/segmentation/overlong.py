"""Choose where to cut an utterance that has become too long: where it does the least harm."""

from itertools import pairwise

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import samples
from asrd.daemon.segmentation.feedback import WordSpans
from asrd.daemon.segmentation.history import History
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.segmentation.utterance import OpenUtterance

SEEK = samples(4.0)
"""Time before the limit at which the search for a place to cut begins."""

WIDE = samples(0.20)
"""Gap between words, without letters, that is wide enough to be cut at once. As the limit comes nearer, narrower gaps
suffice, until any gap does: words 0.4 s long follow each other with gaps of a frame or two.
"""

BLOCK = samples(0.03)
"""Span over which loudness is measured if no gap is known: three pitch periods of a low voice."""


def sought(spoken: OpenUtterance, settings: SegmenterSettings) -> bool:
    """Return whether the limit is so near that a place to cut is sought."""
    return _left(spoken, settings) <= _span(settings)


def place(spoken: OpenUtterance, words: WordSpans, history: History, settings: SegmenterSettings) -> int | None:
    """Return where to cut now: in a pause if one comes in time, else between words, else at the quietest place.

    None while the utterance may go on: there is time for a better place.
    """
    latest = spoken.judged - settings.right_context
    if not sought(spoken, settings) or latest - spoken.committed <= BLOCK:
        return None
    left = _left(spoken, settings)
    found = _pause(spoken, words, latest)
    if found is None:
        found = _between(words, spoken.committed, latest, WIDE * max(0.0, 2 * left / _span(settings) - 1))
    if found is None and left <= 0:
        found = spoken.committed + _quietest(history.view(spoken.committed, latest))
    return found


def _left(spoken: OpenUtterance, settings: SegmenterSettings) -> int:
    """Return the number of samples until the utterance is too long."""
    return spoken.start + settings.max_utterance - spoken.judged


def _span(settings: SegmenterSettings) -> int:
    """Return the length of the last part of a maximum utterance, in which a place to cut is sought."""
    return min(SEEK, settings.max_utterance // 4)


def _pause(spoken: OpenUtterance, words: WordSpans, latest: int) -> int | None:
    """Return the last pause; None if it is committed, after `latest`, or within a word, as before a plosive."""
    within = any(start < spoken.pause < end for start, end in words)
    return spoken.pause if spoken.committed < spoken.pause <= latest and not within else None


def _between(words: WordSpans, after: int, before: int, least: float) -> int | None:
    """Return the middle of the widest gap of at least `least` samples whose middle is in `(after, before]`."""
    gaps = [(start - end, (start + end) // 2) for (_, end), (start, _) in pairwise(words)]
    wide = [(width, middle) for width, middle in gaps if width >= least and after < middle <= before]
    return max(wide)[1] if wide else None


def _quietest(pcm: FloatArray) -> int:
    """Return the middle of the quietest `BLOCK` of `(n,)` samples, `n > BLOCK`; the last one of equals."""
    energy = np.cumsum(np.concatenate([[0.0], np.square(pcm, dtype=np.float64)]))
    blocks = energy[BLOCK:] - energy[:-BLOCK]
    return len(blocks) - 1 - int(np.argmin(blocks[::-1])) + BLOCK // 2

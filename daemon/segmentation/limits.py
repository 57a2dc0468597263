"""Bounds of the silence that ends an utterance, beyond what the speaker's own pauses suggest."""

from asrd.core.flow import Answer
from asrd.core.units import samples
from asrd.daemon.segmentation.settings import SegmenterSettings

MARGIN = samples(0.20)
"""Time that a word may still sound after the frame of its last letter: CTC places letters early in their sounds."""

PATIENT, HASTY = 0.5, 0.9
"""Shares of the maximum utterance: beyond the first, shorter pauses end the utterance; beyond the second, the
shortest allowed does.
"""


def for_length(limit: float, length: int, settings: SegmenterSettings) -> float:
    """Return the limit within its bounds, moved towards the lower one as the utterance becomes long.

    limit, length: in samples. The limit falls linearly in its logarithm.
    """
    bounded = min(max(limit, settings.min_hangover), settings.max_hangover)
    share = (length / settings.max_utterance - PATIENT) / (HASTY - PATIENT)
    haste = min(max(share, 0.0), 1.0)
    return float(bounded ** (1 - haste) * settings.min_hangover**haste)


def text_end(heard: Answer) -> int:
    """Return the position where the last word has surely ended, at most the end of the window's frames."""
    return min(heard.words[-1][1] + MARGIN, heard.until)


def for_text(limit: float, silent_from: int, heard: Answer | None, settings: SegmenterSettings) -> float:
    """Return the limit, counted from the end of the text if the recogniser heard words beyond the last voiced frame.

    silent_from: end of the last voiced frame. The VAD misses faint sounds; then the text continues after it. Text
    that ended before it does not shorten the limit: a model that misses words would cut sentences.
    """
    if heard is None or not heard.words or heard.until < silent_from:
        return limit
    ended = max(silent_from, heard.words[-1][1])
    return min(max(limit + ended - silent_from, settings.min_hangover), settings.max_hangover)

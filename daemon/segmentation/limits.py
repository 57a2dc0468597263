"""How long a silence has to be to end an utterance, besides what the speaker's own pauses say."""

from asrd.core.flow import Answer
from asrd.core.units import samples
from asrd.daemon.segmentation.settings import SegmenterSettings

MARGIN = samples(0.20)
"""How long after its last letter's frame a word may still sound: CTC puts letters early in their sounds."""

PATIENT, HASTY = 0.5, 0.9
"""Shares of the maximum utterance: from the first on shorter pauses are accepted, from the second
on the shortest there may be."""


def for_length(limit: float, length: int, settings: SegmenterSettings) -> float:
    """The limit within its bounds, brought nearer to the lower one as the utterance becomes long.

    limit, length: in samples. It falls evenly in its logarithm.
    """
    bounded = min(max(limit, settings.min_hangover), settings.max_hangover)
    share = (length / settings.max_utterance - PATIENT) / (HASTY - PATIENT)
    haste = min(max(share, 0.0), 1.0)
    return float(bounded ** (1 - haste) * settings.min_hangover**haste)


def text_end(heard: Answer) -> int:
    """Where the last word has ended for sure; the window's frames end there at the latest."""
    return min(heard.words[-1][1] + MARGIN, heard.until)


def for_text(limit: float, silent_from: int, heard: Answer | None, settings: SegmenterSettings) -> float:
    """The limit counted from the end of the text, where the recogniser has heard words beyond the last voiced frame.

    silent_from: end of the last voiced frame. The VAD misses faint sounds; then the text goes on after it.
    Text that ended before it does not shorten the limit: a model that misses words would cut sentences.
    """
    if heard is None or not heard.words or heard.until < silent_from:
        return limit
    ended = max(silent_from, heard.words[-1][1])
    return min(max(limit + ended - silent_from, settings.min_hangover), settings.max_hangover)

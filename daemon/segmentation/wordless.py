"""End utterances in which the VAD still hears a voice, but the recogniser no words: music, a crowd.

What follows such an utterance is noise. Windows of it are cut only to ask whether there are words; if there are, the
next utterance begins.
"""

from dataclasses import dataclass
from typing import Self

from asrd.core.flow import NOBODY, Window
from asrd.core.units import samples
from asrd.daemon.segmentation import limits
from asrd.daemon.segmentation.feedback import Feedback, WordSpans
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.segmentation.utterance import OpenUtterance
from asrd.daemon.segmentation.windows import Cutter

LIMIT = samples(3.0)
"""Time that a voice without words keeps an utterance open: longer than a model ever fails to understand speech."""

ASK = samples(0.50)
"""Interval between questions to the recogniser after that."""


def over(spoken: OpenUtterance, feedback: Feedback, settings: SegmenterSettings) -> bool:
    """Return whether an utterance has had no words for too long."""
    return feedback.blank(spoken) >= max(LIMIT, settings.max_hangover)


def end(spoken: OpenUtterance, tail: int, least: int) -> int:
    """Return where such an utterance ends: after its last word, but at least `least` samples after the committed
    audio.

    Moves `spoken.heard` back to the last word: what the VAD heard since does not count.
    """
    spoken.heard = min(spoken.heard, spoken.text_end + limits.MARGIN)
    return max(spoken.heard + tail, spoken.committed + least)


@dataclass(slots=True)
class Noise(OpenUtterance):
    """The sound that the VAD takes for a voice after such an utterance; it belongs to no utterance, so its number is
    `NOBODY`.
    """

    @classmethod
    def after(cls, spoken: OpenUtterance, end: int) -> Self:
        """Return the noise that follows an utterance which ended at `end`."""
        noise = cls.at(NOBODY, end, spoken.judged)
        noise.moments = spoken.moments
        return noise

    def onset(self, words: WordSpans, pre_roll: int) -> int | None:
        """Return where an utterance with these words begins; None if there are none."""
        return max(words[0][0] - pre_roll, self.committed) if words else None

    def probe(self, cutter: Cutter) -> list[Window]:
        """Return a window of the latest audio every `ASK` samples."""
        if self.judged - self.previewed < ASK:
            return []
        self.committed = max(self.committed, self.judged - cutter.settings.window + cutter.settings.right_context)
        return cutter.probe(self)

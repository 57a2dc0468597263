"""Where the VAD goes on feedback a voice, but the recogniser no words: music, a crowd.

That ends an utterance. What follows is noise, of which windows are cut only to ask whether there are
words; where there are, the next utterance begins.
"""

from dataclasses import dataclass
from typing import Self

from asrd.core.flow import NOBODY, Window
from asrd.core.units import samples
from asrd.daemon.segmentation import limits
from asrd.daemon.segmentation.feedback import Feedback, Words
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.segmentation.utterance import OpenUtterance
from asrd.daemon.segmentation.windows import Cutter

LIMIT = samples(3.0)
"""For how long a voice without words keeps an utterance open: longer than a model fails to understand speech."""

ASK = samples(0.50)
"""How often the recogniser is asked then."""


def over(spoken: OpenUtterance, feedback: Feedback, settings: SegmenterSettings) -> bool:
    """Whether an utterance has had no words for too long."""
    return feedback.blank(spoken) >= max(LIMIT, settings.max_hangover)


def end(spoken: OpenUtterance, tail: int, least: int) -> int:
    """Where it ends then: after its last word, but no less than `least` samples after what is committed.

    What the VAD heard since is no longer heard.
    """
    spoken.heard = min(spoken.heard, spoken.text_end + limits.MARGIN)
    return max(spoken.heard + tail, spoken.committed + least)


@dataclass(slots=True)
class Noise(OpenUtterance):
    """What the VAD takes for a voice after such an utterance; it goes by the number of nobody's."""

    @classmethod
    def after(cls, spoken: OpenUtterance, end: int) -> Self:
        """What goes on when an utterance has ended at `end`."""
        noise = cls.at(NOBODY, end, spoken.judged)
        noise.moments = spoken.moments
        return noise

    def onset(self, words: Words, pre_roll: int) -> int | None:
        """Where an utterance with these words begins; None where there are none."""
        return max(words[0][0] - pre_roll, self.committed) if words else None

    def probe(self, cutter: Cutter) -> list[Window]:
        """Now and then, a window of the latest."""
        if self.judged - self.previewed < ASK:
            return []
        self.committed = max(self.committed, self.judged - cutter.settings.window + cutter.settings.right_context)
        return cutter.probe(self)

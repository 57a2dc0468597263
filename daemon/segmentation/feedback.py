"""Feedback of the recogniser on the open utterance, and the decision when to ask it again."""

from asrd.core.flow import Answer
from asrd.core.units import Samples, samples
from asrd.daemon.segmentation import limits
from asrd.daemon.segmentation.utterance import OpenUtterance

PROBE = samples(0.14)
"""Silence after which the recogniser is asked whether the text has ended: `LAG` before the shortest hangover."""

SUSPICION = samples(0.30)
"""Time without words, while the VAD hears a voice, after which the recogniser is asked repeatedly."""

ASK = samples(0.25)
"""Interval of these repeated questions."""

WordSpans = tuple[tuple[Samples, Samples], ...]
"""Start and end of each word, as stream positions."""


class Feedback:
    """Collect the recogniser's answers. They take effect at the stream position where they are due, so that the
    result does not depend on how fast the recogniser was.
    """

    def __init__(self) -> None:
        self._told: list[Answer] = []
        self.latest: Answer | None = None
        """The answer in force for the open utterance."""

    @property
    def words(self) -> WordSpans:
        """The words of the latest answer."""
        return self.latest.words if self.latest else ()

    def tell(self, answer: Answer, current: OpenUtterance | None) -> None:
        """Take an answer, if its utterance is still open. It takes effect when `answer.due` is reached, or at once if
        that has passed.
        """
        if current and answer.utterance == current.number:
            self._told.append(answer)

    def forget(self) -> None:
        """Drop all answers, because another utterance opens or none is open."""
        self._told.clear()
        self.latest = None

    def weigh(self, position: int, current: OpenUtterance | None) -> None:
        """Apply the answers that are due at a position."""
        due = [told for told in self._told if told.due <= position]
        if not current or not due:
            return
        self._told = [told for told in self._told if told.due > position]
        for told in due:
            if not (self.latest and told.until < self.latest.until):
                words = tuple(word for word in told.words if word[1] > current.start)
                self.latest = Answer(told.utterance, told.due, told.until, words)
                if words:
                    current.text_end = max(current.text_end, words[-1][1])

    def blank(self, spoken: OpenUtterance) -> int:
        """Return for how many samples the recogniser has heard no words, as far as is known."""
        return self.latest.until - (spoken.text_end + limits.MARGIN) if self.latest else 0

    def presses(self, spoken: OpenUtterance, *, seeking: bool) -> bool:
        """Return whether to ask now, while the VAD hears a voice: repeatedly if it has no words, or if a place to cut
        is sought.
        """
        pressing = seeking or self.blank(spoken) >= SUSPICION
        return pressing and spoken.judged - spoken.previewed >= ASK

"""What the recogniser has told of what is open now, and when to ask it again."""

from asrd.core.flow import Answer
from asrd.core.units import Samples, samples
from asrd.daemon.segmentation import limits
from asrd.daemon.segmentation.utterance import OpenUtterance

PROBE = samples(0.14)
"""Silence after which it is asked whether the text has ended: `LAG` before the shortest hangover."""

SUSPICION = samples(0.30)
"""Without words, though the VAD hears a voice, after which it is asked again and again."""

ASK = samples(0.25)
"""How often then."""

Words = tuple[tuple[Samples, Samples], ...]
"""Where words are, as stream positions."""


class Feedback:
    """Answers take effect at the stream position where they are due, so that it does not matter how
    fast the recogniser was.
    """

    def __init__(self) -> None:
        self._told: list[Answer] = []
        self.latest: Answer | None = None
        """What counts of the utterance that is open."""

    @property
    def words(self) -> Words:
        """Where the latest answer has words."""
        return self.latest.words if self.latest else ()

    def tell(self, answer: Answer, current: OpenUtterance | None) -> None:
        """It counts when `answer.due` is reached, or at once if it was, as long as what it concerns is open."""
        if current and answer.utterance == current.number:
            self._told.append(answer)

    def forget(self) -> None:
        """What was told is of no use for what is open next, nor when nothing is."""
        self._told.clear()
        self.latest = None

    def weigh(self, position: int, current: OpenUtterance | None) -> None:
        """Take note of what is due at a position."""
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
        """For how many samples it has heard nothing, as far as it is known."""
        return self.latest.until - (spoken.text_end + limits.MARGIN) if self.latest else 0

    def presses(self, spoken: OpenUtterance, *, seeking: bool) -> bool:
        """Whether to ask while the VAD hears a voice: again and again where it has no words, or where a place is
        sought to cut.
        """
        pressing = seeking or self.blank(spoken) >= SUSPICION
        return pressing and spoken.judged - spoken.previewed >= ASK

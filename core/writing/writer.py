"""Write the text of streams, utterance after utterance."""

from collections.abc import Sequence

from asrd.core import script
from asrd.core.events import WireWord
from asrd.core.writing.sentences import Token, join, sentences, unfinished
from asrd.core.writing.style import Style


class Writer:
    """Writes the words of one stream as people read them.

        writer = Writer(Style(numbers=True, language="en"))
        writer.final(event.words, event.reason)

    It takes every final of its stream once, in order, by `final` or by `sentences`: an utterance goes on with the
    sentence of one that was cut for its length. style: may be replaced at any time, for the next words. begins: whether
    the next utterance begins a sentence.
    """

    def __init__(self, style: Style | None = None) -> None:
        self.style = style or Style()
        self.begins = True

    def final(self, words: Sequence[WireWord], reason: str) -> str:
        """Return the text of a final. words, reason: its own."""
        return join(self.sentences(words, reason))

    def sentences(self, words: Sequence[WireWord], reason: str) -> list[list[Token]]:
        """Return the sentences of a final, with the times of what they are made of; none is empty."""
        said = sentences(words, self.style, begins=self.begins, ends=reason != "length")
        if words:
            self.begins = reason != "length"
        return said

    def partial(self, words: Sequence[WireWord], text: str, stable: int) -> tuple[str, int]:
        """Return the text of a partial, and how many of its characters stay, up to and in the text of the final. words,
        text, stable: its own.

        Those are of stable words that are whole, and before a name or a number that may be going on.
        """
        known = sum(end < stable for end in script.ends((word.word for word in words), text))
        whole, settled = unfinished(words, known, self.style, begins=self.begins)
        return join(whole), len(join(settled))


class Writers:
    """A writer for each stream or channel, in one style, which may be replaced at any time, for the next words."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._writers: dict[str | int, Writer] = {}

    def __getitem__(self, stream: str | int) -> Writer:
        writer = self._writers.setdefault(stream, Writer(self.style))
        writer.style = self.style
        return writer

    def drop(self, stream: str | int) -> None:
        """Forget a stream that has ended."""
        self._writers.pop(stream, None)

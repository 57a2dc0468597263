"""Text for people, by the names that programs written for earlier versions know; new ones take `asrd.clients`."""

from collections.abc import Sequence

from asrd.core.events import WireWord
from asrd.core.writing import writer
from asrd.core.writing.sentences import Token, join
from asrd.core.writing.style import Style

__all__ = ["Style", "Writer", "join"]


class Writer(writer.Writer):
    """A writer whose sentences come by their earlier name."""

    def utterance(self, words: Sequence[WireWord], reason: str) -> list[list[Token]]:
        """Return what `sentences` returns."""
        return self.sentences(words, reason)

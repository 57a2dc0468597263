"""What people read of events: as the daemon displays it, or in a style of one's own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from asrd.core.events import AnyEvent, Ended, Final, Partial, Status, WireWord
from asrd.core.writing.sentences import Token
from asrd.core.writing.style import Style
from asrd.core.writing.writer import Writers


class Reader:
    """Reads the texts of all streams, event by event.

        reader = Reader(numbers=True)
        for event in subscriber:
            reader.see(event)
            if isinstance(event, Final):
                print(reader.final(event))

    Without a wish of its own it reads what the daemon displays. Otherwise, and where an older daemon displays nothing,
    it writes the words itself, in the daemon's style but for what is wished. It takes every final once, in order.
    """

    def __init__(self, **own: Any) -> None:
        """own: fields of `Style` that shall be otherwise than the daemon has them; spellings are added to its own."""
        self._own, self._spellings = own, tuple(own.get("spellings", ()))
        self._writers = Writers(Style(**own))

    @property
    def style(self) -> Style:
        """The style in which it writes."""
        return self._writers.style

    def see(self, event: object) -> None:
        """Learn the daemon's style, and forget a stream that has ended, if an event tells that."""
        if isinstance(event, Ended):
            self._writers.drop(event.stream)
        elif isinstance(event, Status):
            theirs = (event.style or Style()).spoken(event.language).naming(event.words)
            spellings = (*theirs.spellings, *self._spellings)
            self._writers.style = replace(theirs, **{**self._own, "spellings": spellings})

    def final(self, final: Final) -> str:
        """Return the text of a final."""
        own = self._writers[final.stream].final(final.words, final.reason)
        return own if self._own else final.display or own

    def partial(self, partial: Partial) -> tuple[str, int]:
        """Return the text of a partial, and how many of its characters stay."""
        if partial.display and not self._own:
            return partial.display, partial.display_stable
        return self._writers[partial.stream].partial(partial.words, partial.text, partial.stable)

    def sentences(self, stream: str, words: Sequence[WireWord], reason: str) -> list[list[Token]]:
        """Return the sentences of a final, with times, in place of `final`. words: its own, or moved in time."""
        return self._writers[stream].sentences(words, reason)

    def written(self, event: AnyEvent) -> AnyEvent:
        """Return an event that displays what is read of it."""
        if isinstance(event, Final):
            return msgspec.structs.replace(event, display=self.final(event))
        if isinstance(event, Partial):
            display, stable = self.partial(event)
            return msgspec.structs.replace(event, display=display, display_stable=stable)
        return event

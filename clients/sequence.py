"""Detect events that did not arrive."""

from dataclasses import dataclass

from asrd.core.events import Event, Status


@dataclass(frozen=True, slots=True)
class Hole:
    """Lasting events `first <= seq <= last` may have been published, and neither arrived nor could be fetched.

    `daemon` is the one that published what came before them.
    """

    daemon: str
    first: int
    last: int


def beginning(event: Event) -> int:
    """Return the first `seq` that was not published before an event: its own, unless the event is a greeting."""
    return event.seq + (isinstance(event, Status) and event.greeting)


class Sequence:
    """Follows `seq`.

    daemon: the one that published the last event; "" before the first. next: the `seq` that is due; None before the
    first.
    """

    def __init__(self) -> None:
        self.daemon = ""
        self.next: int | None = None

    def due(self, event: Event) -> int:
        """Return the first `seq` that is due before an event arrives: its `beginning` if nothing is missing, and a
        larger one if it has arrived before.
        """
        if self.next is None:
            return beginning(event)
        if beginning(event) < self.next and event.daemon != self.daemon:
            return 0  # a daemon that keeps no journal counts anew
        return self.next

    def take(self, event: Event) -> None:
        """Take an event as arrived."""
        self.daemon, self.next = event.daemon, event.seq + 1

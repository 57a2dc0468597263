"""Detect events that did not arrive."""

from dataclasses import dataclass

from asrd.core.events import Event


@dataclass(frozen=True, slots=True)
class Hole:
    """Events `first <= seq <= last` of a daemon were published but did not arrive.

    ZeroMQ drops events for a subscriber that reads too slowly. `Control.replay` brings back those
    that the daemon still remembers.
    """

    daemon: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """The number of missing events."""
        return self.last - self.first + 1


class Sequence:
    """Follows `seq`. A restarted daemon counts anew, which is not a hole."""

    def __init__(self) -> None:
        self._daemon = ""
        self._next = 0

    def accept(self, event: Event) -> Hole | None:
        """Take the next event; return the hole before it, if there is one."""
        hole = None
        if event.daemon == self._daemon and event.seq > self._next:
            hole = Hole(event.daemon, self._next, event.seq - 1)
        self._daemon, self._next = event.daemon, event.seq + 1
        return hole

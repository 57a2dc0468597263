"""Notice when connections are refused."""

import time
from collections.abc import Callable, Iterable, Iterator

from asrd.core.units import counted
from asrd.daemon.transport.door import Door

PERIOD = 60.0
"""Seconds between two messages about one address."""


class Refusals:
    """Count connections, and those refused, at all addresses of a daemon."""

    def __init__(self, doors: Callable[[], Iterable[Door]]) -> None:
        self._doors = doors
        self._told: dict[str, tuple[int, float]] = {}

    @property
    def connections(self) -> int:
        """The number of connections that are open."""
        return sum(len(door.guests) for door in self._doors())

    @property
    def refused(self) -> int:
        """The number of connections that were refused, ever."""
        return sum(door.refused for door in self._doors())

    def news(self) -> Iterator[str]:
        """Yield a message for each address that refused connections; for each at most one a `PERIOD`."""
        now = time.monotonic()
        for door in self._doors():
            count, since = self._told.get(door.address, (0, now - PERIOD))
            if door.refused > count and now - since >= PERIOD:
                self._told[door.address] = (door.refused, now)
                refused = counted(door.refused - count, "connections")
                full = f"{len(door.guests)} are open, and no more may be; end programs that hold them"
                yield f"{door.address} refused {refused}: {full}"

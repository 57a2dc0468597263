"""Count what comes to a daemon's sockets besides what they are for."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from asrd.core.units import counted
from asrd.daemon.transport.door import Door
from asrd.daemon.transport.malformed import PERIOD, Malformed


class Port(Protocol):
    """Something with a socket."""

    @property
    def doors(self) -> Iterable[Door]:
        """The doors of the socket."""

    @property
    def malformed(self) -> Malformed:
        """What came in and was not understood."""


class Ports:
    """All sockets of a daemon."""

    def __init__(self, ports: Sequence[Port]) -> None:
        self._ports = ports
        self._told: dict[str, tuple[int, float]] = {}

    @property
    def connections(self) -> int:
        """The number of connections that are open."""
        return sum(len(door.guests) for door in self._doors())

    @property
    def refused(self) -> int:
        """The number of connections that were refused, ever."""
        return sum(door.refused for door in self._doors())

    @property
    def malformed(self) -> int:
        """The number of messages that were malformed, ever."""
        return sum(port.malformed.count for port in self._ports)

    def refusals(self) -> Iterator[str]:
        """Yield a message for each address that refused connections; for each at most one a `PERIOD`."""
        now = time.monotonic()
        for door in self._doors():
            count, since = self._told.get(door.address, (0, now - PERIOD))
            if door.refused > count and now - since >= PERIOD:
                self._told[door.address] = (door.refused, now)
                refused = counted(door.refused - count, "connections")
                full = f"{len(door.guests)} are open, and no more may be; end programs that hold them"
                yield f"{door.address} refused {refused}: {full}"

    def _doors(self) -> Iterator[Door]:
        for port in self._ports:
            yield from port.doors

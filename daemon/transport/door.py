"""The door of one bound address: it lets connections in, or turns them away.

libzmq accepts whoever connects, without a limit, and aborts the process when a Unix socket cannot be accepted for want
of a descriptor. To unbind would end all its connections. So a door that is shut puts another listening socket, which
nobody can reach, in the place of the descriptor that libzmq accepts from: that takes effect at once, and for newcomers
only.
"""

import os
import socket
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field

REFUSALS = 64
"""Connections turned away before the door looks again whether there is room."""


@dataclass(slots=True)
class Guest:
    """A connection. subscriptions: how many it has. user: whose they are, as `Access` knows them. since: when it was
    first heard of, in monotonic seconds.
    """

    subscriptions: int = 0
    user: str = ""
    since: float = field(default_factory=time.monotonic)


class Door:
    """An address that a ZeroMQ socket is bound to. Used by one thread; others may read, and hang up.

    guests: the connections that are open, by descriptor. refused: how many were turned away.
    """

    def __init__(self, address: str, descriptor: int) -> None:
        """descriptor: the listening one, which libzmq accepts from."""
        self.address = address
        self.guests: dict[int, Guest] = {}
        self.refused = 0
        self.shut = False
        self._theirs = descriptor
        self._real = socket.socket(fileno=os.dup(descriptor))
        self._real.setblocking(False)  # for libzmq, too: who it was told of may have been turned away since
        self._nowhere = _nowhere()

    def fileno(self) -> int:
        """Return the descriptor that can be read while someone waits at the door."""
        return self._real.fileno()

    def set(self, *, shut: bool) -> None:
        """Let nobody in any more, or let people in again."""
        if shut != self.shut:
            self.shut = shut
            os.dup2((self._nowhere if shut else self._real).fileno(), self._theirs, inheritable=False)

    def refuse(self) -> None:
        """Turn away some of those who wait."""
        with suppress(OSError):  # there are no more, or there is no descriptor to accept them with
            for _ in range(REFUSALS):
                self._real.accept()[0].close()
                self.refused += 1

    def hang_up(self, descriptor: int) -> None:
        """End one of this door's connections."""
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as guest:  # unless it has just ended
            guest.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the door's own descriptors; libzmq goes on with its own."""
        self._real.close()
        self._nowhere.close()


def _nowhere() -> socket.socket:
    """Return a listening socket that nobody can connect to: its path is gone."""
    nowhere = socket.socket(socket.AF_UNIX)
    with tempfile.TemporaryDirectory(prefix="asrd-") as folder:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        nowhere.bind(f"/proc/self/fd/{handle}/x")  # short, wherever the folder is
        os.close(handle)
        nowhere.listen(1)
    nowhere.setblocking(False)
    return nowhere

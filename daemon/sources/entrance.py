"""The base class of what brings streams in while the daemon runs."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from asrd.daemon.sources.base import NOTICES, Source
from asrd.daemon.transport.door import Door
from asrd.daemon.transport.malformed import Malformed

Join = Callable[[Source], Awaitable[Any]]
"""Opens a source, and begins to hear it as a stream of its own. Its name may get a number, to be told from others."""


class Entrance(ABC):
    """A place where sources come in, each of which becomes a stream until it ends.

    stream: what their names begin with. place: where it is, for people. doors, malformed, notices: as of a `Source`.
    """

    doors: Iterable[Door] = ()

    def __init__(self, stream: str, place: str) -> None:
        self.stream = stream
        self.place = place
        self.malformed = Malformed(stream)
        self.notices: deque[str] = deque(maxlen=NOTICES)

    @abstractmethod
    async def open(self) -> None:
        """Acquire resources. Raises AudioError or TransportError with a one-line remedy."""

    @abstractmethod
    async def run(self, join: Join) -> None:
        """Have sources join as they come, until closed."""

    @abstractmethod
    async def close(self) -> None:
        """Let nobody in any more, and end `run`. May be called at any time, more than once."""

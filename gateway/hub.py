"""Pass the daemon's events on to connections, each of which has a bounded queue."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable

from asrd.core.events import Event
from asrd.gateway.errors import LaggingError

MOST = 1024
"""Events that wait for one connection: some minutes of one stream."""


class Inbox:
    """The events that one connection is still to get, in order and without holes."""

    def __init__(self, lagging: Callable[[], None]) -> None:
        """lagging: called once when the connection reads too slowly; it is to hang up, for nothing more comes."""
        self._lagging = lagging
        self._events: deque[Event] = deque()
        self._overflowed = self._closed = False
        self._news = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event, unless too many wait."""
        if self._overflowed:
            return
        if len(self._events) >= MOST:
            self._overflowed = True
            self._events.clear()
            self._lagging()
        else:
            self._events.append(event)
        self._news.set()

    def close(self) -> None:
        """End the inbox after what is in it."""
        self._closed = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the events until the inbox is closed. Raises LaggingError if they were not read in time."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._overflowed:
                raise LaggingError(f"more than {MOST} events were not read; connect again, and read faster")
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()


class Hub:
    """Give each inbox the events of one stream, or of all."""

    def __init__(self) -> None:
        self._inboxes: defaultdict[str | None, set[Inbox]] = defaultdict(set)
        self._closed = False

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        for stream in (event.stream, None):
            for inbox in self._inboxes.get(stream, ()):
                inbox.put(event)

    def enter(self, stream: str | None = None, lagging: Callable[[], None] = lambda: None) -> Inbox:
        """Return a new inbox for the events of a stream from now on; None for those of all streams and of the daemon
        itself. lagging: as in `Inbox`.
        """
        inbox = Inbox(lagging)
        self._inboxes[stream].add(inbox)
        if self._closed:
            inbox.close()
        return inbox

    def leave(self, inbox: Inbox) -> None:
        """Forget an inbox, and close it."""
        inbox.close()
        for stream, inboxes in [*self._inboxes.items()]:
            inboxes.discard(inbox)
            if not inboxes:
                del self._inboxes[stream]

    def close(self) -> None:
        """Close all inboxes, and those that are still to come."""
        self._closed = True
        for inbox in [inbox for inboxes in self._inboxes.values() for inbox in inboxes]:
            inbox.close()

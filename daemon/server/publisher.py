"""Publish events, number them, and keep them for subscribers that missed some."""

import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import zmq
import zmq.asyncio

from asrd.core import events
from asrd.core.control import Acknowledge, GetPosition, PastRequest, Recall, Replay, Since
from asrd.core.events import Event
from asrd.daemon.journal.journal import Journal
from asrd.daemon.server.audience import Audience
from asrd.daemon.server.history import History
from asrd.daemon.transport.access import LOCAL, Access, Place
from asrd.daemon.transport.doors import Doors
from asrd.daemon.transport.malformed import Malformed
from asrd.daemon.transport.sockets import Binding

HIGH_WATER_MARK = 10_000
"""Events queued for one slow subscriber before ZeroMQ drops new ones; the subscriber notices from `seq`."""

SUBSCRIBERS = 2048
"""Maximum number of connections to one address."""


class Publisher:
    """Publish on an XPUB socket: like PUB, but it reports subscriptions."""

    def __init__(self, context: zmq.asyncio.Context, addresses: Sequence[str], access: Access = LOCAL) -> None:
        """Bind to all addresses. Raises TransportError or UsageError."""
        self.daemon = uuid.uuid4().hex[:12]
        self._socket = context.socket(zmq.XPUB)
        self._socket.set(zmq.SNDHWM, HIGH_WATER_MARK)
        self.doors = Doors(self._socket, SUBSCRIBERS)
        self.malformed = Malformed("events")
        self._audience = Audience(self._socket, self.doors, self.malformed, access)
        self._bindings: list[Binding] = []
        self._seq = 0
        self._access = access
        self._stopped = False
        self._outgoing: deque[tuple[int, Event, bytes]] = deque()
        self.history = History(self.daemon)
        self.record: Callable[[str, bytes], None] = lambda stream, payload: None
        """Called with every event's stream and payload."""
        self.listeners: set[Callable[[Event], None]] = set()
        """Called with every event as it is sent, in order."""
        try:
            for address in addresses:
                self._bindings.append(Binding(self._socket, address, access, Place.EVENTS))
        except Exception:
            self.close()
            raise

    @property
    def addresses(self) -> list[str]:
        """The addresses it is bound to, with the port that was chosen for `*`."""
        return [binding.address for binding in self._bindings]

    @property
    def last(self) -> int:
        """The number of the last event that was sent."""
        return self._seq - len(self._outgoing) - 1

    def begin(self, journal: Journal) -> None:
        """Number events as a journal goes on, and keep them in it before they are sent."""
        self.history.begin(journal)
        self._seq = journal.first

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        """Number and send an event. It never waits for a subscriber. After `stopped`, events are ignored."""
        if self._stopped:
            return
        self._stopped = isinstance(event, events.Stopped)
        numbered, payload = self._number(event, stream, self.daemon)
        self.record(stream, payload)
        await self._send(numbered, payload)

    async def publish_for(self, daemon: str, event: Event, stream: str) -> None:
        """Publish an event that another daemon should have published, had it not crashed."""
        await self._send(*self._number(event, stream, daemon))

    def _number(self, event: Event, stream: str, daemon: str) -> tuple[Event, bytes]:
        numbered = msgspec.structs.replace(event, daemon=daemon, seq=self._seq, stream=stream, time=time.time())
        self._seq += 1
        return numbered, events.encode(numbered)

    async def _send(self, event: Event, payload: bytes) -> None:
        """Send an event and what waited before it, in order, once the journal has them."""
        self.history.add(event, payload)
        journal = self.history.journal
        ticket = journal.write(event, payload) if journal else 0
        self._outgoing.append((ticket, event, payload))
        if journal:
            await journal.settled(ticket)
        while self._outgoing and self._outgoing[0][0] <= ticket:
            _, ready, data = self._outgoing.popleft()
            for listener in [*self.listeners]:
                listener(ready)
            await self._socket.send_multipart([events.topic(ready), data])

    async def joined(self, greeting: Callable[[], Event] | None = None) -> None:
        """Wait until someone subscribes. greeting: returns the event that the newcomer alone gets. It has the number
        of the last event that was sent before it, and is not kept.
        """

        def frames(make: Callable[[], Event]) -> tuple[bytes, bytes]:
            event = msgspec.structs.replace(make(), daemon=self.daemon, seq=self.last, time=time.time())
            return events.topic(event), events.encode(event)

        await self._audience.joined(partial(frames, greeting) if greeting else None)

    def part(self) -> None:
        """Hang up on those who may listen no more."""
        self.doors.part(partial(self._access.allows, place=Place.EVENTS))

    async def answer(self, request: PastRequest) -> Any:
        """Answer a request about past events. Raises UsageError as `History` does."""
        match request:
            case Replay(first, last):
                return await self.history.replay(first, last)
            case Recall(first, last, daemon):
                return await self.history.recall(first, min(last, self._seq - 1), daemon)
            case Since(moment):
                return await self.history.since(moment, self._seq)
            case GetPosition(name):
                return self.history.position(name)
            case Acknowledge(name, seq):
                return await self.history.acknowledge(name, seq)

    def close(self, within: float = 0.0) -> None:
        """Send queued events, within `within` seconds, and release the addresses."""
        self.doors.close()
        self._socket.close(linger=round(1000 * within))
        for binding in self._bindings:
            binding.close()

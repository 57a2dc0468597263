"""Publish events, number them, and remember the latest for subscribers that missed some."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import zmq
import zmq.asyncio

from asrd.core import events
from asrd.core.events import Event
from asrd.daemon.transport.access import LOCAL, Access
from asrd.daemon.transport.sockets import Binding

REMEMBERED = 4096
"""Events kept for replay: about twenty minutes of one talkative stream with partials."""

REMEMBERED_BYTES = 16 << 20
"""Maximum size of all remembered events, in bytes: partials of long utterances are long."""

REPLAYED_BYTES = 1 << 20
"""Maximum bytes of events in one replay: the answer is held until the client has read it. Clients ask again for the
rest.
"""

HIGH_WATER_MARK = 10_000
"""Events queued for one slow subscriber before ZeroMQ drops new ones; the subscriber notices from `seq`."""

MAX_SUBSCRIPTION = 1 << 10
"""Maximum size of a subscription, in bytes. A peer that sends more is disconnected."""


class Publisher:
    """Publish on an XPUB socket: like PUB, but it reports new subscriptions."""

    def __init__(self, context: zmq.asyncio.Context, addresses: Sequence[str], access: Access = LOCAL) -> None:
        """Bind to all addresses. Raises TransportError or UsageError."""
        self.daemon = uuid.uuid4().hex[:12]
        self._socket = context.socket(zmq.XPUB)
        self._socket.set(zmq.XPUB_VERBOSE, 1)
        self._socket.set(zmq.SNDHWM, HIGH_WATER_MARK)
        self._socket.set(zmq.MAXMSGSIZE, MAX_SUBSCRIPTION)
        self._bindings: list[Binding] = []
        self._seq = 0
        self._recent: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._stopped = False
        self.record: Callable[[str, bytes], None] = lambda stream, payload: None
        """Called with every event's stream and payload."""
        self.observe: Callable[[Event], None] = lambda event: None
        """Called with every published event, too."""
        try:
            for address in addresses:
                self._bindings.append(Binding(self._socket, address, access))
        except Exception:
            self.close()
            raise

    @property
    def addresses(self) -> list[str]:
        """The addresses it is bound to, with the port that was chosen for `*`."""
        return [binding.address for binding in self._bindings]

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        """Number and send an event. It never waits for a subscriber. After `stopped`, events are ignored."""
        if self._stopped:
            return
        self._stopped = isinstance(event, events.Stopped)
        numbered = msgspec.structs.replace(event, daemon=self.daemon, seq=self._seq, stream=stream, time=time.time())
        payload = events.encode(numbered)
        self._remember(payload)
        self.record(stream, payload)
        self.observe(numbered)
        self._seq += 1
        await self._socket.send_multipart([events.topic(numbered), payload])

    async def joined(self) -> None:
        """Wait until someone subscribes to something."""
        while True:
            frames = await self._socket.recv_multipart()
            await asyncio.sleep(0)  # let others run: receiving does not wait while messages are queued
            if len(frames) == 1 and frames[0][:1] == b"\x01":  # anything else is made up by a peer
                return

    def _remember(self, payload: bytes) -> None:
        self._recent.append((self._seq, payload))
        self._bytes += len(payload)
        while len(self._recent) > REMEMBERED or self._bytes > REMEMBERED_BYTES:
            self._bytes -= len(self._recent.popleft()[1])

    def replay(self, first: int, last: int) -> list[Any]:
        """Return the remembered events `first <= seq <= last`, ready to be sent as JSON: the oldest, as many as fit
        into one answer, and at least one if there is one.
        """
        found: list[Any] = []
        room = REPLAYED_BYTES
        for seq, payload in self._recent:
            if first <= seq <= last:
                room -= len(payload)
                if found and room < 0:
                    break
                found.append(msgspec.Raw(payload))
        return found

    def close(self, within: float = 0.0) -> None:
        """Send queued events, within `within` seconds, and release the addresses."""
        self._socket.close(linger=round(1000 * within))
        for binding in self._bindings:
            binding.close()

"""The events that a listener gets: a greeting, what it has missed, and then all that comes."""

import time
from collections.abc import AsyncGenerator, Iterator
from typing import NamedTuple

import msgspec

from asrd.core import events, wire
from asrd.core.control import Past, Recall, Since
from asrd.core.events import DAEMON_STREAM
from asrd.gateway.events.wish import Mark, Wish
from asrd.gateway.host import Host
from asrd.gateway.hub import Inbox

LATEST = 2**53
"""A `seq` beyond all."""


class Told(NamedTuple):
    """JSON for a listener. mark: of the event; None for what is none."""

    mark: Mark | None
    payload: bytes


class _Head(msgspec.Struct):
    """What is looked at of a past event."""

    type: str
    stream: str
    daemon: str
    seq: int


_decoder = msgspec.json.Decoder(_Head)


class Feed:
    """After a greeting, which is a `status`, come those events that last since the one that is asked for, with a `hole`
    where some of them may be lost; then all events as they are published.
    """

    def __init__(self, host: Host, wish: Wish) -> None:
        self._host, self._wish = host, wish
        self._publisher = host.daemon.publisher

    async def told(self) -> AsyncGenerator[Told, None]:
        """Yield what is to be told, nothing twice, until the daemon stops. Raises LaggingError if it was not read in
        time.
        """
        last = await self._begin()
        if self._wish.admits(DAEMON_STREAM, "status"):
            yield self._greeting(last)
        inbox: Inbox | None = None
        try:
            while inbox is None:
                past = await self._publisher.answer(Recall(last + 1, LATEST))
                last = past.last
                if last >= self._publisher.last:
                    inbox = self._host.hub.enter()  # not sooner: a long past would fill it
                for one in self._past(past):
                    yield one
            async for event in inbox:
                if event.seq > last and self._wish.admits(event.stream, type(event).__name__.lower()):
                    yield Told(Mark(event.seq, event.daemon), events.encode(event))
        finally:
            if inbox:
                self._host.hub.leave(inbox)

    async def _begin(self) -> int:
        """Return the `seq` of the last event that the listener has, or does not want."""
        wish, publisher = self._wish, self._publisher
        if wish.since is None and wish.ago is None:
            return publisher.last
        if wish.since is None:
            first: int = await publisher.answer(Since(time.time() - (wish.ago or 0.0)))
            return first - 1
        strange = wish.since.daemon not in ("", publisher.daemon) or wish.since.seq > publisher.last
        return -1 if strange and not publisher.history.journal else wish.since.seq  # without one, each counts anew

    def _greeting(self, last: int) -> Told:
        greeting = msgspec.structs.replace(
            self._host.daemon.reporter.status(),
            daemon=self._publisher.daemon,
            seq=last,
            time=time.time(),
            greeting=True,
        )
        return Told(Mark(last, self._publisher.daemon), events.encode(greeting))

    def _past(self, past: Past) -> Iterator[Told]:
        """Yield past events that are asked for, and holes."""
        for first, last in past.missing:
            hole = {"type": "hole", "daemon": past.daemon, "first": first, "last": last}
            yield Told(None, wire.encode(hole))
        for raw in past.events:
            head = _decoder.decode(raw)
            if self._wish.admits(head.stream, head.type):
                yield Told(Mark(head.seq, head.daemon), bytes(raw))

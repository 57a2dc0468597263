"""Receive a daemon's events.

    with Subscriber() as events:
        for event in events:
            if isinstance(event, Final):
                print(event.text)

`AsyncSubscriber` is the same for asyncio, with `async with` and `async for`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import zmq
import zmq.asyncio

from asrd.clients.control import Control
from asrd.clients.following import Call, Following, Receive
from asrd.clients.handshake import BROKEN_OFF, monitor_address, present, refused
from asrd.clients.sequence import Hole
from asrd.core.addresses import absent, beside, events_address, listens, not_an_address, reachable, unanswered
from asrd.core.errors import TransportError, UsageError
from asrd.core.events import DAEMON_STREAM, AnyEvent
from asrd.core.key import concerns

HIGH_WATER_MARK = 100_000
"""Events held for a slow reader on its own side before ZeroMQ drops the newest."""

Socket = TypeVar("Socket", bound="zmq.Socket[Any]")


class _Subscription(Generic[Socket]):
    """Base of both subscribers: the connection, and the choice of streams.

    All streams are always received, because a hole can only be detected if nothing is filtered out.
    """

    def __init__(
        self,
        address: str | None = None,
        streams: Iterable[str] = (),
        *,
        since: int | datetime | None = None,
        name: str = "",
        once: bool = False,
        waiting: Callable[[TransportError], None] = lambda error: None,
        timeout: float = 3.0,
        max_wait: float = 5.0,
        key: Path | None = None,
        control: str | None = None,
    ) -> None:
        """Connect to a daemon.

        address: where it publishes; by default this user's own daemon, as `asrd listen` finds it.
        streams: which to pass on, by name; none named means all.
        since: begin with past events from this `seq` or time on; by default with the next event.
        name: a consumer whose position the daemon keeps, so that it gets every lasting event once, however often it or
            the daemon is restarted. A new one begins with `since`, by default the oldest event there is. One consumer
            of a name may run at a time.
        once: end after the daemon's `stopped`, and raise TransportError if it goes silent. Otherwise wait for the next
            daemon, without end.
        waiting: called with the reason when nothing comes for now.
        timeout: seconds to wait for the daemon's first event, which it sends on connection.
        max_wait: seconds without any event, heartbeats included, after which it counts as gone.
        key: the key file that a daemon on another machine requires; by default the one `asrd listen` uses.
        control: where the daemon takes requests, for past events; by default where it says.

        Raises UsageError for a malformed address, or settings or a key that cannot be read.
        """
        self.address = reachable(address or events_address())
        self._streams = {*streams, DAEMON_STREAM} if streams else None
        self._wait, self._max_wait = timeout, max_wait
        self._once, self._waiting = once, waiting
        self._path, self._given = key, control
        self._joined = self._away = False
        self._following = Following(self, since, name, once=once)
        self._key = self._connect()

    def _connect(self) -> Any:
        self._socket = self._open()
        self._socket.set(zmq.RCVHWM, HIGH_WATER_MARK)
        self._socket.set(zmq.SUBSCRIBE, b"asrd.")
        self._monitor = self._socket.get_monitor_socket(BROKEN_OFF, monitor_address())
        try:
            key = present(self._socket, self.address, self._path)
            self._socket.connect(self.address)
        except UsageError:
            self.close()
            raise
        except zmq.ZMQError as error:
            self.close()
            raise not_an_address(self.address, error.strerror) from error
        return key

    def _open(self) -> Socket:
        raise NotImplementedError

    def close(self) -> None:
        """Disconnect. May be called more than once."""
        self._monitor.close(linger=0)
        self._socket.close(linger=0)

    def silent(self, *, expected: bool) -> None:
        """Connect anew after a silence, or raise TransportError. expected: after a `stopped`."""
        error = self._absent()
        if self._once or not self._joined:
            raise error
        if not (expected or self._away):
            self.stuck(error)
        self._away = True
        self.close()
        self._connect()

    def stuck(self, error: TransportError) -> None:
        """Tell that nothing can be passed on for now."""
        self._waiting(error)

    def control(self, said: str) -> Control | None:
        """Return the daemon's control; None if there is none to reach. said: its address as the daemon has it."""
        address = self._given or (beside(self.address, said) if said else "")
        return Control(address, key=self._path) if address else None

    @property
    def _timeout(self) -> int:
        return round((self._max_wait if self._joined else self._wait) * 1000)

    def _absent(self) -> TransportError:
        if concerns(self.address) and zmq.Socket.shadow(self._monitor).poll(0):
            return refused(self.address, self._key)
        if self._joined:
            return TransportError(f"the daemon at {self.address} has stopped responding; see 'asrd status'")
        if listens(self.address):
            return unanswered(self.address)
        return absent(self.address, f"no daemon publishes at {self.address}; start one with 'asrd start'")

    def _heard(self) -> None:
        self._joined, self._away = True, False

    def _wanted(self, item: AnyEvent | Hole) -> bool:
        return isinstance(item, Hole) or self._streams is None or item.stream in self._streams


class Subscriber(_Subscription["zmq.Socket[bytes]"]):
    """Iterate over events, and over `Hole`s where some are lost. Events that did not arrive are fetched, also over
    restarts of the daemon.

    With a `name`, an event is acknowledged when the loop asks for the one after it. So one that the caller was killed
    with, or left the loop with, comes again the next time, and no other does.
    """

    def _open(self) -> "zmq.Socket[bytes]":
        return zmq.Context.instance().socket(zmq.SUB)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[AnyEvent | Hole]:
        steps, answer = self._following.steps(), None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration:
                return
            answer = None
            match step:
                case Receive():
                    if self._socket.poll(self._timeout):
                        answer = self._socket.recv_multipart()
                        self._heard()
                case Call(make):
                    answer = make()
                case _:
                    if self._wanted(step):
                        yield step


class AsyncSubscriber(_Subscription["zmq.asyncio.Socket"]):
    """The same for asyncio: `async for event in subscriber`."""

    def _open(self) -> "zmq.asyncio.Socket":
        return zmq.asyncio.Context.instance().socket(zmq.SUB)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aiter__(self) -> AsyncIterator[AnyEvent | Hole]:
        steps, answer = self._following.steps(), None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration:
                return
            answer = None
            match step:
                case Receive():
                    if await self._socket.poll(self._timeout):
                        answer = await self._socket.recv_multipart()
                        self._heard()
                case Call(make):
                    answer = await asyncio.to_thread(make)
                case _:
                    if self._wanted(step):
                        yield step

"""Receive a daemon's events.

    with Subscriber() as events:
        for event in events:
            if isinstance(event, Final):
                print(event.text)

`AsyncSubscriber` is the same for asyncio, with `async with` and `async for`.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import zmq
import zmq.asyncio

from asrd.clients.handshake import BROKEN_OFF, present, refused
from asrd.clients.sequence import Hole, Sequence
from asrd.core.addresses import absent, events_address, listens, not_an_address, reachable, unanswered
from asrd.core.errors import TransportError, UsageError
from asrd.core.events import DAEMON_STREAM, AnyEvent, Stopped, decode
from asrd.core.key import concerns

HIGH_WATER_MARK = 100_000
"""Events held for a slow reader on its own side before ZeroMQ drops the newest."""

Socket = TypeVar("Socket", bound="zmq.Socket[Any]")


class _Subscription(Generic[Socket]):
    """Base of both subscribers: the connection, the sequence and the choice of streams.

    All streams are always received, because a hole can only be detected if nothing is filtered out.
    """

    def __init__(
        self,
        address: str | None = None,
        streams: Iterable[str] = (),
        *,
        timeout: float = 3.0,
        max_wait: float = 5.0,
        key: Path | None = None,
    ) -> None:
        """Connect to a daemon.

        address: where it publishes; by default this user's own daemon, as `asrd listen` finds it.
        streams: which to pass on, by name; none named means all.
        timeout: seconds to wait for the daemon's first event, which it sends on connection.
        max_wait: seconds without any event, heartbeats included, after which it counts as gone.
        key: the key file that a daemon on another machine requires; by default the one `asrd listen` uses.

        Raises UsageError for a malformed address, or settings or a key that cannot be read.
        """
        self.address = reachable(address or events_address())
        self._streams = {*streams, DAEMON_STREAM} if streams else None
        self._wait, self._max_wait = timeout, max_wait
        self._joined = False
        self._sequence = Sequence()
        self._socket = self._open()
        self._socket.set(zmq.RCVHWM, HIGH_WATER_MARK)
        self._socket.set(zmq.SUBSCRIBE, b"asrd.")
        self._monitor = self._socket.get_monitor_socket(BROKEN_OFF)
        try:
            self._key = present(self._socket, self.address, key)
            self._socket.connect(self.address)
        except UsageError:
            self.close()
            raise
        except zmq.ZMQError as error:
            self.close()
            raise not_an_address(self.address, error.strerror) from error

    def _open(self) -> Socket:
        raise NotImplementedError

    def close(self) -> None:
        """Disconnect. May be called more than once."""
        self._monitor.close(linger=0)
        self._socket.close(linger=0)

    @property
    def _timeout(self) -> int:
        return round((self._max_wait if self._joined else self._wait) * 1000)

    def _absent(self) -> TransportError:
        if self._joined:
            return TransportError(f"the daemon at {self.address} has stopped responding; see 'asrd status'")
        if concerns(self.address) and zmq.Socket.shadow(self._monitor).poll(0):
            return refused(self.address, self._key)
        if listens(self.address):
            return unanswered(self.address)
        return absent(self.address, f"no daemon publishes at {self.address}; start one with 'asrd start'")

    def _accept(self, frames: list[bytes]) -> list[AnyEvent | Hole]:
        """Decode a message: an event, perhaps with a hole before it."""
        self._joined = True
        event = decode(frames[-1])
        hole = self._sequence.accept(event)
        wanted = self._streams is None or event.stream in self._streams
        return ([hole] if hole else []) + ([event] if wanted else [])


class Subscriber(_Subscription["zmq.Socket[bytes]"]):
    """Iterate over events, and `Hole`s where some are missing.

    Iteration ends after the daemon's `stopped`. It raises TransportError if no daemon is there, or if it stops
    responding, heartbeats included.
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
        while True:
            if not self._socket.poll(self._timeout):
                raise self._absent()
            for item in self._accept(self._socket.recv_multipart()):
                yield item
                if isinstance(item, Stopped):
                    return


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
        while True:
            if not await self._socket.poll(self._timeout):
                raise self._absent()
            for item in self._accept(await self._socket.recv_multipart()):
                yield item
                if isinstance(item, Stopped):
                    return

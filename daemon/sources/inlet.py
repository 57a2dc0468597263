"""A PULL socket by which PCM messages come in, from those who may speak."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import zmq
import zmq.asyncio

from asrd.core.addresses import listens, spare_file, without_address
from asrd.core.errors import TransportError
from asrd.daemon.transport.access import LOCAL, Access, Guard, Place
from asrd.daemon.transport.door import Door
from asrd.daemon.transport.doors import Doors
from asrd.daemon.transport.peers import descriptor, user
from asrd.daemon.transport.sockets import notice_loss

QUEUE = 32
"""Messages queued when the daemon is behind; beyond that senders have to wait, and notice it."""

SENDERS = 256
"""Maximum number of connections."""

MAX_MESSAGE = 4 << 20
"""Maximum size of a message part, in bytes. A peer that sends more is disconnected."""

KERNEL_BUFFER = 1 << 16
"""Bytes that the kernel may buffer, 2 s of 16-bit audio at 16 kHz; the default is many times more, all of
it latency.
"""


class Inlet:
    """The socket. doors: those that senders come in by."""

    doors: Iterable[Door] = ()

    def __init__(self, address: str, access: Access = LOCAL) -> None:
        """access: who may send. Raises UsageError if everyone could."""
        access.check(address)
        self.address = address
        self._access = access
        self._context: zmq.asyncio.Context | None = None
        self._socket: zmq.asyncio.Socket
        self._closing: asyncio.Future[Any]
        self._guard: Guard
        self._doors: Doors

    @property
    def bound(self) -> str:
        """The address that it is bound to, with the port that was chosen for `*`."""
        return self._socket.getsockopt_string(zmq.LAST_ENDPOINT)

    @property
    def connections(self) -> int:
        """The number of connections that are open."""
        return self._doors.connections

    @property
    def closed(self) -> bool:
        """Whether nothing comes in any more."""
        return self._context is None or self._closing.done()

    async def open(self) -> None:
        """Bind. Raises UsageError if a file is in the way, TransportError if the address is taken or
        cannot be bound.
        """
        spare_file(self.address)
        if self.address.startswith("ipc://") and listens(self.address):  # libzmq would take over its file
            raise TransportError(f"{self.address} is in use by another program; choose another or stop that one")
        self._closing = asyncio.get_running_loop().create_future()
        self._context = zmq.asyncio.Context()
        self._guard = self._access.guard(self._context)
        self._socket = self._context.socket(zmq.PULL)
        self._socket.linger = 0
        self._socket.rcvhwm = QUEUE
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self._socket.setsockopt(zmq.RCVBUF, KERNEL_BUFFER)
        notice_loss(self._socket)
        self._access.apply(self._socket, self.address, Place.PCM)
        self.doors = self._doors = Doors(self._socket, SENDERS)
        try:
            self._socket.bind(self.address)
        except zmq.ZMQError as error:
            await self.close()
            if error.errno == zmq.EADDRINUSE:
                what = "is in use by another program; choose another port or stop that one"
            else:
                why = without_address(str(error.strerror))
                what = f"cannot be bound ({why}); give one like tcp://127.0.0.1:7000 or ipc:///run/x.sock"
            raise TransportError(f"{self.address} {what}") from error

    async def receive(self, max_wait: float | None = None) -> list[bytes] | None:
        """Return the parts of the next message; None if none comes within `max_wait` seconds, or once it is closed."""
        until = None if max_wait is None else time.monotonic() + max_wait
        while not self.closed:
            if not await self._readable(until):
                return None
            frames = await self._socket.recv_multipart(copy=False)
            if self._access.allows(user(frames[0]), Place.PCM):
                return [frame.bytes for frame in frames]
            self._doors.hang_up(descriptor(frames[0]))
        return None

    async def _readable(self, until: float | None) -> bool:
        """Wait for a message until a monotonic time; return whether there is one, and the inlet is not closed."""
        left = None if until is None else max(0, round(1000 * (until - time.monotonic())))
        ready: asyncio.Future[Any] = asyncio.ensure_future(self._socket.poll(left))
        try:
            await asyncio.wait({ready, self._closing}, return_when=asyncio.FIRST_COMPLETED)
            return not self.closed and bool(ready.result())
        finally:
            ready.cancel()

    async def close(self) -> None:
        """Unbind, and end `receive`. May be called at any time, more than once."""
        if self._context is not None and not self._closing.done():
            self._closing.set_result(None)
            self._guard.close()
            self._doors.close()
            self._context.destroy(linger=0)

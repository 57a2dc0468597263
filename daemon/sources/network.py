"""PCM over ZeroMQ: another machine's microphone, or any program that sends the messages defined in `core.pcm`."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import zmq
import zmq.asyncio

from asrd.core.addresses import listens, spare_file, without_address
from asrd.core.errors import TransportError
from asrd.core.flow import AudioChunk
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.sessions import Sessions
from asrd.daemon.transport.access import LOCAL, Access, Guard, Place
from asrd.daemon.transport.doors import Doors
from asrd.daemon.transport.peers import descriptor, user
from asrd.daemon.transport.sockets import notice_loss

QUEUE = 32
"""Messages queued when the daemon is behind; beyond that senders have to wait, and notice it."""

SENDERS = 256
"""Maximum number of connections; one sender is heard at a time."""

MAX_MESSAGE = 4 << 20
"""Maximum size of a message part, in bytes. A peer that sends more is disconnected."""

KERNEL_BUFFER = 1 << 16
"""Bytes that the kernel may buffer, 2 s of 16-bit audio at 16 kHz; the default is many times more, all of
it latency.
"""


class NetworkSource(Source):
    """Bind a PULL socket and receive one sender after the other, all on one sample clock.

    It ends only when closed. access: who may send.
    """

    kind = "pcm"

    def __init__(self, stream: str, address: str, access: Access = LOCAL) -> None:
        """Raise UsageError if everyone could send."""
        super().__init__(stream)
        access.check(address)
        self.address = address
        self._access = access
        self._context: zmq.asyncio.Context | None = None
        self._socket: zmq.asyncio.Socket | None = None
        self._closing: asyncio.Future[Any]
        self._guard: Guard
        self._doors: Doors

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

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield audio of the current sender, and an empty chunk with a reason when a sender ends or stops sending."""
        sessions = Sessions(self.stream, self.sent, self.malformed, self.notices.append)
        while self._socket is not None and not self._closing.done():
            max_wait = sessions.max_wait
            ready: asyncio.Future[Any] = asyncio.ensure_future(
                self._socket.poll(None if max_wait is None else int(max_wait * 1000))
            )
            try:
                await asyncio.wait({ready, self._closing}, return_when=asyncio.FIRST_COMPLETED)
                if self._closing.done():
                    break
                heard = ready.result()
            finally:
                ready.cancel()
            for chunk in await self._served(self._socket, sessions) if heard else self._expired(sessions):
                yield chunk
                await asyncio.sleep(0)  # let others run: one message may make thousands of chunks
            self.sent = sessions.received
        for chunk in sessions.close():
            yield chunk

    def _expired(self, sessions: Sessions) -> Iterable[AudioChunk]:
        return sessions.expire(gone=not self._doors.connections)

    async def _served(self, socket: zmq.asyncio.Socket, sessions: Sessions) -> Iterable[AudioChunk]:
        """Return the chunks of the next message; none if its sender may speak no more, whose connection then ends."""
        frames = await socket.recv_multipart(copy=False)
        if not self._access.allows(user(frames[0]), Place.PCM):
            self._doors.hang_up(descriptor(frames[0]))
            return []
        return sessions.receive([frame.bytes for frame in frames])

    async def close(self) -> None:
        """Unbind and end `chunks`."""
        if self._context is not None and not self._closing.done():
            self._closing.set_result(None)
            self._guard.close()
            self._doors.close()
            self._context.destroy(linger=0)

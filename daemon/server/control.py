"""Answer requests to the daemon on a ROUTER socket."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import zmq
import zmq.asyncio

from asrd.core import wire
from asrd.core.control import AnyRequest, Reply
from asrd.core.errors import AsrdError, MalformedError, reason
from asrd.daemon.server.rights import check
from asrd.daemon.transport.access import LOCAL, Access, Place
from asrd.daemon.transport.doors import Doors
from asrd.daemon.transport.malformed import Malformed
from asrd.daemon.transport.peers import user
from asrd.daemon.transport.sockets import Binding

log = logging.getLogger(__name__)

CLIENTS = 256
"""Maximum number of connections."""

MAX_REQUEST = 1 << 16
"""Maximum size of a request, in bytes. A peer that sends more is disconnected."""

UNREAD = 16
"""Replies held for one peer that does not read them; later ones are dropped. Equally many requests of one peer are
held until their turn; then the sender has to wait.
"""

BUSY = 16
"""Number of requests answered at once; others are refused meanwhile."""

SHORT = 0.05
"""Seconds that one request gets before the next is read."""

MOMENT = 0.2
"""Seconds that running requests get at shutdown: most take a few milliseconds, but loading a backend may take
minutes.
"""

_requests: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)

Answer = Callable[[AnyRequest], Awaitable[Any]]


class Controller:
    """Answer every request with exactly one reply, if it is read. A slow request does not delay the others, and many
    requests do not delay the rest of the daemon.
    """

    def __init__(self, context: zmq.asyncio.Context, address: str, access: Access = LOCAL) -> None:
        """Bind. Requests wait until `run`."""
        self._socket = context.socket(zmq.ROUTER)
        self._socket.set(zmq.MAXMSGSIZE, MAX_REQUEST)
        self._socket.set(zmq.SNDHWM, UNREAD)
        self._socket.set(zmq.RCVHWM, UNREAD)
        self._access = access
        self._tasks: set[asyncio.Task[None]] = set()
        self.malformed = Malformed("control")
        self.doors = Doors(self._socket, CLIENTS)
        try:
            self._binding = Binding(self._socket, address, access, Place.CONTROL)
        except Exception:
            self.doors.close()
            self._socket.close(linger=0)
            raise

    @property
    def address(self) -> str:
        """The address it is bound to."""
        return self._binding.address

    async def run(self, answer: Answer) -> None:
        """Serve until cancelled. answer: returns the result of a request, or raises AsrdError."""
        while True:
            *envelope, payload = await self._socket.recv_multipart(copy=False)
            began = time.monotonic()
            if len(self._tasks) < BUSY:
                task = asyncio.create_task(self._serve(answer, envelope, payload))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                await asyncio.wait([task], timeout=SHORT)
            else:
                busy = f"the daemon has {BUSY} other requests to answer; ask again in a moment"
                await self._socket.send_multipart([*envelope, _refusal(busy, 1)])
            await asyncio.sleep(time.monotonic() - began)  # leaves half of the time to audio

    async def _serve(self, answer: Answer, envelope: list[zmq.Frame], payload: zmq.Frame) -> None:
        try:
            request = wire.decode(payload.bytes, _requests)
            check(self._access.roles(user(payload)), request)
            reply = wire.encode(Reply(result=await answer(request)))
        except MalformedError as error:
            self.malformed.note(error)
            reply = _refusal(f"not a request this daemon knows: {error}", 2)
        except AsrdError as error:
            reply = _refusal(str(error), error.exit_code)
        except Exception as error:  # whatever it is, the client gets an answer and the daemon continues
            log.exception("a request failed")
            reply = _refusal(f"the daemon failed to answer ({reason(error)}); its log says more", 1)
        await self._socket.send_multipart([*envelope, reply])

    async def close(self, within: float) -> None:
        """Give running requests a moment to end, send their replies, and release the address. within: seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=min(MOMENT, within))
        for task in self._tasks:
            task.cancel()
        self.doors.close()
        self._socket.close(linger=round(1000 * within))
        self._binding.close()


def _refusal(error: str, exit_code: int) -> bytes:
    return wire.encode(Reply(error=error, exit_code=exit_code))

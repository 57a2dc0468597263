"""`GET /events`: server-sent events, for browsers, curl and whatever reads lines."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asrd.core import wire
from asrd.gateway.errors import LaggingError
from asrd.gateway.events.feed import Feed, Told
from asrd.gateway.events.wish import Wish
from asrd.gateway.host import Host
from asrd.gateway.line import SLOW
from asrd.gateway.tasks import until_first

QUIET = 15.0
"""Seconds between lines that say nothing, but show both sides that the other is there."""

AGAIN = 2000
"""Milliseconds after which a browser connects again."""

log = logging.getLogger(__name__)


class ServerSent:
    """Answer requests for events."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def answer(self, request: Request) -> Response:
        """Answer with events without end. Raises RefusedError for a query that asks for what cannot be."""
        wish = Wish.read(request.query_params, request.headers.get("last-event-id", ""))
        return Stream(Feed(self._host, wish).told())


class Stream(Response):
    """A response that goes on until the events end, the client goes or does not read."""

    media_type = "text/event-stream"

    def __init__(self, told: AsyncGenerator[Told, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await until_first(self._tell(send), _beat(send), _gone(receive))
        except TimeoutError:
            log.warning("%s was ended: nothing was read for %g s", scope["path"], SLOW)
            scope["state"]["abort"]()

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _put(send, f"retry: {AGAIN}\n\n".encode())
        try:
            async with aclosing(self._told) as told:
                async for one in told:
                    await _put(send, _event(one))
        except LaggingError as error:
            log.warning("a reader of events was ended: %s", error)
            await _put(send, _event(Told(None, wire.encode({"type": "closed", "message": str(error)}))))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _put(send: Send, data: bytes) -> None:
    """Send a part. Raises TimeoutError if the client does not read."""
    async with asyncio.timeout(SLOW):
        await send({"type": "http.response.body", "body": data, "more_body": True})


async def _beat(send: Send) -> None:
    while True:
        await asyncio.sleep(QUIET)
        await _put(send, b":\n\n")


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(told: Told) -> bytes:
    """Return an event as lines. JSON has no line breaks of its own."""
    mark = f"id: {told.mark}\n".encode() if told.mark else b""
    return mark + b"data: " + told.payload + b"\n\n"

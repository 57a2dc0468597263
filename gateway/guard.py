"""What every request goes through before it is served: where it comes from, and how large and slow it may be."""

import asyncio
import logging

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asrd.gateway.access import Admission
from asrd.gateway.errors import RefusedError

BODY = 30.0
"""Seconds within which more of a request's body must arrive."""

log = logging.getLogger(__name__)


class Guard:
    """Refuse requests of foreign pages, and those that are too large or come too slowly; an ASGI middleware."""

    def __init__(self, app: ASGIApp, admission: Admission, upload: int) -> None:
        """upload: bytes that a request may have."""
        self._app, self._admission, self._upload = app, admission, upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        self._admission.check_page(HTTPConnection(scope))
        await self._app(scope, self._bounded(scope, receive) if scope["type"] == "http" else receive, send)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Return what receives a request. It raises RefusedError for one that is too large, or does not go on."""
        declared = HTTPConnection(scope).headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._upload:
            raise self._large()
        received, whole = 0, False

        async def bounded() -> Message:
            nonlocal received, whole
            try:
                async with asyncio.timeout(None if whole else BODY):
                    message = await receive()
            except TimeoutError as error:
                raise RefusedError(408, f"nothing of the request arrived for {BODY:g} s", "timeout") from error
            received += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if received > self._upload:
                raise self._large()
            return message

        return bounded

    def _large(self) -> RefusedError:
        return RefusedError(413, f"a request has at most {self._upload} bytes here", "too_large")

"""Put the protocols together to one ASGI application."""

import logging
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from asrd.core.errors import AsrdError
from asrd.gateway import captions, deepgram, events, openai, vosk
from asrd.gateway.errors import RefusedError
from asrd.gateway.guard import Guard
from asrd.gateway.host import Host
from asrd.gateway.shape import body, refused

PROTOCOLS = (openai.routes, vosk.routes, deepgram.routes, events.routes, captions.routes)
"""What returns the routes of each protocol."""

POLICY, TRY_AGAIN = 1008, 1013
"""Close codes of WebSockets (RFC 6455, 7.4): a rule was broken; there is no room now."""

REASON = 123
"""Bytes that the reason in a close frame may have (RFC 6455, 5.5)."""

log = logging.getLogger(__name__)


def make_app(host: Host) -> Starlette:
    """Return the application that serves all protocols."""
    handlers: dict[Any, Any] = {AsrdError: _refused, HTTPException: _unserved, ClientDisconnect: _left}
    cors = Middleware(CORSMiddleware, allow_origins=host.options.origins, allow_methods=["*"], allow_headers=["*"])
    middleware = [
        *([cors] if host.options.origins else []),
        Middleware(ExceptionMiddleware, handlers),
        Middleware(Guard, host.admission, host.options.upload),
    ]
    routes = [route for protocol in PROTOCOLS for route in protocol(host)]
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)


async def _refused(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer a request that asrd does not serve, and log why."""
    refusal = refused(error)
    client = connection.client.host if connection.client else "?"
    log.warning("%s from %s was refused: %s", connection.url.path, client, refusal)
    return await _answer(connection, refusal)


async def _unserved(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer a request that has no route, or that Starlette does not understand."""
    assert isinstance(error, HTTPException)
    message = error.detail
    if error.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        method = connection.scope.get("method", "WebSocket")
        message = f"there is no {method} {connection.url.path} here"
    return await _refused(connection, RefusedError(error.status_code, message))


async def _left(connection: HTTPConnection, error: Exception) -> Response:
    """Return what nobody gets, for a client that has gone before its request was whole."""
    log.debug("%s: a client went before its request was whole", connection.url.path)
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _answer(connection: HTTPConnection, refusal: RefusedError) -> Response | None:
    unread = refusal.status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    response = JSONResponse(body(refusal), refusal.status, {"Connection": "close"} if unread else None)
    if isinstance(connection, Request):
        return response
    assert isinstance(connection, WebSocket)
    if connection.application_state == WebSocketState.CONNECTING:
        await connection.send_denial_response(response)
    elif connection.application_state == WebSocketState.CONNECTED:
        code = TRY_AGAIN if refusal.status >= HTTPStatus.TOO_MANY_REQUESTS else POLICY
        with suppress(WebSocketDisconnect, RuntimeError):  # it has gone
            await connection.close(code, str(refusal).encode()[:REASON].decode(errors="ignore"))
    return None

"""uvicorn with bounds: on connections, on the time of a handshake, and on what a client may leave unread."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from asrd.gateway.options import GatewayOptions

CLIENTS = 512
"""Connections that are open at once; more are closed at once."""

HANDSHAKE = 10.0
"""Seconds within which a client must have sent the head of its first request."""

MESSAGE = 16 << 20
"""Bytes of a WebSocket's message: OpenAI's clients send 15 MiB of audio at most."""

WAITING = 1
"""Seconds that open requests get when the daemon stops."""

log = logging.getLogger(__name__)


class BoundedHttp(H11Protocol):
    """One connection, also of a WebSocket. `state.abort` of its request hangs up at once, whatever was not sent yet."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many."""
        self.app_state = {**self.app_state, "abort": transport.abort}
        super().connection_made(transport)
        if len(self.connections) > CLIENTS:
            log.warning("a connection was refused: %d are open", CLIENTS)
            transport.abort()
        self._late = self.loop.call_later(HANDSHAKE, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._late.cancel()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        if self.scope is None:
            self.transport.abort()


class Server(uvicorn.Server):
    """A server that leaves signals to the daemon."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield

    def refuse(self) -> None:
        """Let nobody in any more; open connections stay."""
        for one in getattr(self, "servers", ()):
            one.close()


def make_server(app: ASGIApp, options: GatewayOptions) -> Server:
    """Return a server that is not yet bound. Raises OSError or ssl.SSLError if the certificate cannot be used."""
    files: dict[str, Any] = {}
    if options.certificate and options.key:
        files = {"ssl_certfile": options.certificate, "ssl_keyfile": options.key}
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="websockets-sansio",
        ws_max_size=MESSAGE,
        ws_per_message_deflate=False,  # a small message may unpack to a large one, and audio does not shrink
        ws_ping_interval=None,  # who has to wait until it is heard cannot answer
        lifespan="off",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=WAITING,
        **files,
    )
    config.load()
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # what clients do wrong is logged where it is refused
    logging.getLogger("uvicorn.error").addFilter(_meant)
    return Server(config)


def _meant(record: logging.LogRecord) -> bool:
    """Return whether a line of uvicorn's is one to read: it takes a WebSocket that was refused for one forgotten."""
    return "without completing handshake" not in str(record.msg)

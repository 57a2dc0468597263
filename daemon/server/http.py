"""A small HTTP server that no client can make large: bounded in connections, and in the time that each may take."""

import logging
import socket
import time
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

log = logging.getLogger(__name__)

CLIENTS = 8
"""Connections served at once, each by a thread; more are closed at once."""

TIME = 5.0
"""Seconds that a connection may take, however slowly its client sends or reads."""


class BoundedServer(ThreadingMixIn, WSGIServer):
    """Serve a WSGI application. refused: connections closed for want of room."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        """Bind. Raises OSError if the address is taken or cannot be used."""
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self.address_family = family
        self.refused = 0
        self._since: dict[socket.socket, float] = {}
        super().__init__((str(place[0]), port), Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Return whether there is room for a connection."""
        full = len(self._since) >= CLIENTS
        self.refused += full
        if not full:
            self._since[request] = time.monotonic()
        return not full

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        self._since.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Hang up on those whose time is over; their threads then end. Called twice a second."""
        for request, since in [*self._since.items()]:
            if time.monotonic() - since > TIME:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:  # it has just ended
                    self._since.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing that would alarm: whatever it is, the client caused it."""
        log.debug("a request for metrics failed", exc_info=True)


class Handler(WSGIRequestHandler):
    """Serve one request, and log nothing of it."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing."""

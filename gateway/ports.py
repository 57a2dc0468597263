"""Addresses HOST:PORT, and sockets that listen there."""

import socket

from asrd.core.addresses import at, host_and_port, is_local
from asrd.core.errors import TransportError, reason

HTTP = "127.0.0.1:8765"
"""Where the gateway serves, unless told otherwise."""

BACKLOG = 128
"""Connections that wait until the daemon is ready to serve them."""

KEEPALIVE = 60
"""Seconds of silence until the kernel asks whether the peer is still there, and in which it must take what is sent."""


def parse(address: str) -> tuple[str, int]:
    """Return host and port. Raises UsageError for what is no address."""
    return host_and_port(address, HTTP)


def is_loopback(address: str) -> bool:
    """Return whether only programs on this machine can connect."""
    return is_local(f"tcp://{address}")


def bind(address: str, option: str) -> socket.socket:
    """Return a socket that listens. Port 0 takes a free one. option: where another address could be chosen.

    Raises TransportError if that cannot be.
    """
    try:
        host, port = parse(address)
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE)
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * KEEPALIVE)
            bound.bind(place)
            bound.listen(BACKLOG)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise TransportError(f"cannot serve at {address}: {reason(error)}; choose another with {option}") from error
    return bound


def shown(bound: socket.socket) -> str:
    """Return where a socket listens, as HOST:PORT, with the port that was chosen."""
    return at(*bound.getsockname()[:2])

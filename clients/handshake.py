"""Present the key to a daemon, and detect a failed handshake."""

from itertools import count
from pathlib import Path
from typing import Any

import zmq

from asrd.core.addresses import needs_ipv6
from asrd.core.errors import TransportError
from asrd.core.key import Key, concerns, find, places

BROKEN_OFF = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
"""Events of a monitor when one side has a key that the other has not."""


_numbers = count()


def monitor_address() -> str:
    """Return a new address for a socket's monitor. pyzmq would make one of the descriptor, which a socket that has
    just been closed may have had: its monitor still holds the address for a moment.
    """
    return f"inproc://asrd-monitor-{next(_numbers)}"


def present(socket: zmq.Socket[Any], address: str, path: Path | None) -> Key | None:
    """Prepare a socket's next connection: present the key if it is over TCP.

    path: the key's file, as `find` takes it. Raises UsageError as `find` does.
    """
    socket.ipv6 = needs_ipv6(address)
    key = find(path) if concerns(address) else None
    if key:
        key.show(socket)
    return key


def refused(address: str, key: Key | None) -> TransportError:
    """Build the error for an address where something listens, but the handshake failed."""
    if key:
        return TransportError(
            f"what listens at {address} does not take the key {key.path}, or is no asrd; copy its key there"
        )
    return TransportError(
        f"what listens at {address} requires a key, or is not an asrd daemon; copy its key to {places()[0]}"
    )

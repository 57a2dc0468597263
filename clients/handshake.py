"""Showing a daemon the key that it wants, and seeing whether the two came to terms."""

from pathlib import Path
from typing import Any

import zmq

from asrd.core.errors import TransportError
from asrd.core.key import Key, concerns, find, places

BROKEN_OFF = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
"""What a monitor is told where one side has a key that the other has not."""


def present(socket: zmq.Socket[Any], address: str, path: Path | None) -> Key | None:
    """Have a socket show the key to what it connects to next, if that is over TCP. path: the key's file, as `find`
    takes it. Raises UsageError where it does.
    """
    key = find(path) if concerns(address) else None
    if key:
        key.show(socket)
    return key


def refused(address: str, key: Key | None) -> TransportError:
    """The error that something listens at an address, and the two did not come to terms."""
    if key:
        return TransportError(
            f"what listens at {address} does not take the key {key.path}, or is no asrd; copy its key there"
        )
    return TransportError(
        f"what listens at {address} requires a key, or is not an asrd daemon; copy its key to {places()[0]}"
    )

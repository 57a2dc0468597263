"""Sockets that a service manager opened before it started the daemon (sd_listen_fds(3)).

Clients can connect to them while the daemon starts, or is between two starts, and wait in the kernel's queue until it
accepts. They are told apart by their addresses: all sockets of one unit have the same name in `$LISTEN_FDNAMES`.
"""

import os
import socket
from collections.abc import Iterator

FIRST = 3
"""The descriptor of the first of them."""


def inherited(address: str) -> int | None:
    """Return the descriptor of the listening socket that was opened for an address; None if there is none."""
    return next((descriptor for descriptor in _descriptors() if address in _addresses(descriptor)), None)


def unused(addresses: list[str]) -> list[str]:
    """Return the addresses of sockets that were opened for none of these: nobody would answer there."""
    found = [_addresses(descriptor) for descriptor in _descriptors()]
    return [names[0] if names else "what is no stream socket" for names in found if not {*names} & {*addresses}]


def _descriptors() -> Iterator[int]:
    """Yield those that are for this process, and keep them from the programs that it runs."""
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        for descriptor in range(FIRST, FIRST + int(os.environ.get("LISTEN_FDS", "0"))):
            os.set_inheritable(descriptor, False)
            yield descriptor


def _addresses(descriptor: int) -> list[str]:
    """Return all that a listening socket may be called in ZeroMQ; nothing for other descriptors."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as one:
            if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return []
            name = one.getsockname()
            if one.family == socket.AF_UNIX:
                return [f"ipc://{name}"] if isinstance(name, str) else [f"ipc://@{name[1:].decode()}"]
            host = f"[{name[0]}]" if ":" in name[0] else name[0]
            hosts = [host, "*"] if name[0] in ("0.0.0.0", "::") else [host]
            return [f"tcp://{one}:{name[1]}" for one in hosts]
    except OSError:
        return []

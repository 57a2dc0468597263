"""Where a daemon and its clients meet when nothing else is said.

Unix sockets in the user's runtime directory, which others cannot enter: transcripts of what is
said in a room are private. `--events tcp://…` opens them to the network on request.
"""

import os
import re
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from asrd.core.config import configured
from asrd.core.errors import TransportError, UsageError

EVENTS_VARIABLE = "ASRD_EVENTS"
CONTROL_VARIABLE = "ASRD_CONTROL"

MAX_PORT = 65_535

_LOCAL = re.compile(r"ipc://.+|tcp://(127(\.\d+){3}|localhost|lo|\[::1\]):.+")

PROBE = 0.5
"""Seconds in which what listens is to accept a connection."""


def runtime_directory() -> Path:
    """`$RUNTIME_DIRECTORY` under systemd, else in the user's runtime directory, else in `/tmp`."""
    systemd = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if systemd:
        return Path(systemd)
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(session) / "asrd"
    return Path(tempfile.gettempdir()) / f"asrd-{os.getuid()}"


def events_address() -> str:
    """Where transcripts are published: `$ASRD_EVENTS`, else `events` in asrd.toml, else a Unix socket.

    Raises UsageError for a file that cannot be read.
    """
    return os.environ.get(EVENTS_VARIABLE) or configured("events") or f"ipc://{runtime_directory() / 'events'}"


def control_address() -> str:
    """Where a daemon takes requests: `$ASRD_CONTROL`, else `control` in asrd.toml, else a Unix socket.

    Raises UsageError for a file that cannot be read.
    """
    return os.environ.get(CONTROL_VARIABLE) or configured("control") or f"ipc://{runtime_directory() / 'control'}"


def reachable(address: str) -> str:
    """Where to connect to on this machine for what is bound there: one binds to all addresses, and connects to one.

    Raises UsageError for a port that cannot be.
    """
    check_port(address)
    return re.sub(r"^tcp://(?:\*|0\.0\.0\.0):", "tcp://127.0.0.1:", address).replace("tcp://[::]:", "tcp://[::1]:")


def is_local(address: str) -> bool:
    """Whether only programs of this machine can reach it."""
    return _LOCAL.fullmatch(address) is not None


def not_an_address(address: str, why: str = "") -> UsageError:
    """The error that something is none. why: what the system says of it."""
    said = f" ({without_address(why)})" if why else ""
    return UsageError(f"'{address}' is not an address{said}; write tcp://127.0.0.1:7007 or ipc:///path/to/socket")


def absent(address: str, said: str) -> TransportError:
    """The error that nothing answers at an address, in the words `said`, or that the Unix socket there is closed
    to this user, which libzmq does not tell apart.
    """
    path = Path(address.removeprefix("ipc://"))
    try:
        path.stat()
        closed = not os.access(path, os.W_OK)
    except OSError as error:
        closed = isinstance(error, PermissionError)
    if closed and address.startswith("ipc://"):
        return TransportError(f"{address} is not yours to open; join the group of {path.parent} and log in again")
    return TransportError(said)


def unanswered(address: str) -> TransportError:
    """The error that something is at an address and says nothing."""
    return TransportError(f"the daemon at {address} does not answer; if it is just starting, ask again")


def listens(address: str) -> bool:
    """Whether a connection is accepted there, by whatever it is."""
    transport, _, place = address.partition("://")
    with suppress(OSError, ValueError):
        if transport == "ipc":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(PROBE)
                probe.connect(re.sub("^@", "\0", place))
                return True
        host, _, port = place.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), PROBE):
            return True
    return False


def without_address(why: str) -> str:
    """What libzmq says of an error, less the address, which is named already."""
    return why.partition(" (addr=")[0]


def check_address(address: str) -> None:
    """Raise UsageError for what can never be bound, as far as that can be told without binding."""
    if not re.fullmatch(r"tcp://.+:(\d+|\*)|ipc://.+", address):
        raise not_an_address(address)
    check_port(address)
    spare_file(address)


def spare_file(address: str) -> None:
    """Raise UsageError for a Unix socket where a file is: libzmq deletes whatever it finds there, without a word."""
    path = Path(address.removeprefix("ipc://"))
    with suppress(OSError):  # not to be looked at, or too long: binding says so
        if address.startswith("ipc://") and path.is_file():
            raise UsageError(f"{path} is a file, which a socket would replace; choose another path")


def check_port(address: str) -> None:
    """Raise UsageError for a port that libzmq would take modulo 65536."""
    tcp = re.fullmatch(r"tcp://.+:(\d+)", address)
    if tcp and int(tcp[1]) > MAX_PORT:
        raise UsageError(f"'{address}' is not an address: the largest port is {MAX_PORT}")

"""Addresses of a daemon's sockets: the defaults, and checks of others.

The defaults are Unix sockets in the user's runtime directory, which other users cannot enter: transcripts of what is
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

MACHINE = Path("/run/asrd")
"""Directory of the sockets of the machine's own daemon, as its unit has it."""

MAX_PORT = 65_535

_LOCAL = re.compile(r"ipc://.+|tcp://(127(\.\d+){3}|localhost|lo|\[::1\]):.+")

PROBE = 0.5
"""Seconds within which a listener must accept a connection."""


def runtime_directory() -> Path:
    """Return the directory for sockets: `$RUNTIME_DIRECTORY` under systemd, else one in the user's runtime directory,
    else one in the temporary directory.
    """
    systemd = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if systemd:
        return Path(systemd)
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(session) / "asrd"
    return Path(tempfile.gettempdir()) / f"asrd-{os.getuid()}"


def events_address(*, own: bool = False) -> str:
    """Return the address of events: `$ASRD_EVENTS`, else `events` in asrd.toml, else a Unix socket of the user's
    daemon, or of the machine's where the user has none. own: do not look at the machine's, to start a daemon.

    Raises UsageError if asrd.toml cannot be read.
    """
    return os.environ.get(EVENTS_VARIABLE) or configured("events") or _default("events", own=own)


def control_address(*, own: bool = False) -> str:
    """Return the address for requests: `$ASRD_CONTROL`, else `control` in asrd.toml, else as `events_address`.

    Raises UsageError if asrd.toml cannot be read.
    """
    return os.environ.get(CONTROL_VARIABLE) or configured("control") or _default("control", own=own)


def _default(name: str, *, own: bool) -> str:
    users, machines = runtime_directory() / name, MACHINE / name
    return f"ipc://{machines if not own and not users.exists() and _exists(machines) else users}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # not in the group that may look: `absent` tells of it
        return True


def reachable(address: str) -> str:
    """Turn an address to bind into one to connect to from this machine: a wildcard becomes the loopback address.

    Raises UsageError for an impossible port.
    """
    check_port(address)
    return re.sub(r"^tcp://(?:\*|0\.0\.0\.0):", "tcp://127.0.0.1:", address).replace("tcp://[::]:", "tcp://[::1]:")


def beside(events: str, control: str) -> str:
    """Return where a client that hears a daemon at `events` reaches its control socket; "" if it cannot. control: the
    address that the daemon bound.
    """
    host = events.rpartition(":")[0] if events.startswith("tcp://") else "tcp://127.0.0.1"
    control = re.sub(r"^tcp://(\*|0\.0\.0\.0|\[::\])(?=:)", host, control)
    return control if is_local(events) or not is_local(control) else ""


def needs_ipv6(address: str) -> bool:
    """Return whether an address is one of IPv6, which libzmq only takes from sockets that are told so."""
    return address.startswith("tcp://[")


def is_local(address: str) -> bool:
    """Return whether only programs on this machine can reach an address."""
    return _LOCAL.fullmatch(address) is not None


def not_an_address(address: str, why: str = "") -> UsageError:
    """Build the error for a malformed address. why: the system's explanation."""
    said = f" ({without_address(why)})" if why else ""
    return UsageError(f"'{address}' is not an address{said}; write tcp://127.0.0.1:7007 or ipc:///path/to/socket")


def absent(address: str, said: str) -> TransportError:
    """Build the error for an address where nothing answers. said: its message.

    For a Unix socket that this user may not open, the error says so instead: libzmq does not tell the two apart.
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
    """Build the error for an address where something listens but does not answer."""
    return TransportError(f"the daemon at {address} does not answer; if it is just starting, ask again")


def listens(address: str) -> bool:
    """Return whether anything accepts a connection at an address."""
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
    """Return libzmq's error text without the address, which the message already names."""
    return why.partition(" (addr=")[0]


def check_address(address: str) -> None:
    """Raise UsageError for an address that can never be bound, as far as that shows without binding."""
    if not re.fullmatch(r"tcp://.+:(\d+|\*)|ipc://.+", address):
        raise not_an_address(address)
    check_port(address)
    spare_file(address)


def spare_file(address: str) -> None:
    """Raise UsageError for a Unix socket whose path is a file: libzmq silently deletes whatever it finds there."""
    path = Path(address.removeprefix("ipc://"))
    with suppress(OSError):  # unreadable or too long: binding reports it
        if address.startswith("ipc://") and path.is_file():
            raise UsageError(f"{path} is a file, which a socket would replace; choose another path")


def host_and_port(address: str, example: str, least: int = 0) -> tuple[str, int]:
    """Return the two parts of HOST:PORT. least: the lowest port. Raises UsageError, with the example, for others."""
    found = re.fullmatch(r"(.+):(\d+)", address)
    if not found or not least <= int(found[2]) <= MAX_PORT:
        raise UsageError(f"'{address}' is not HOST:PORT; write it as in {example}")
    return found[1].strip("[]"), int(found[2])


def at(host: str, port: int) -> str:
    """Return HOST:PORT, with an address of IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_port(address: str) -> None:
    """Raise UsageError for a port above 65535, which libzmq would take modulo 65536."""
    tcp = re.fullmatch(r"tcp://.+:(\d+)", address)
    if tcp and int(tcp[1]) > MAX_PORT:
        raise UsageError(f"'{address}' is not an address: the largest port is {MAX_PORT}")

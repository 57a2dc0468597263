"""The keys of a daemon and of its clients on other machines.

Over TCP, asrd's sockets speak CURVE (RFC 26 of ZeroMQ, https://rfc.zeromq.org/spec/26/): all traffic is encrypted,
each side proves that it has its key, and anyone without one can neither receive nor send. A daemon's file holds a key
pair. A client uses the same file, and may then do everything, or one of its own, which `core.roster` lists with what it
may do. Unix sockets need no key: file permissions decide who may open them.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrd.core import home
from asrd.core.config import configured
from asrd.core.errors import UsageError
from asrd.core.secret import check_private

if TYPE_CHECKING:
    import zmq

VARIABLE = "ASRD_KEY"

NONE = "none"
"""Given in place of a file name: use no key."""

CLIENT = """\
# The key of one client of an asrd daemon, for that client alone. `server` is the public key of the daemon.
"""

HEAD = """\
# The key of an asrd daemon. Whoever has this file hears what the daemon hears, can speak to it and can stop it.
# Copy it to the machines that are to, by a way that nobody else sees.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair for Curve25519.

    public, secret: its two halves, 40 characters of Z85 each. path: the file that holds it. server: in a client's own,
    the public half of the daemon's; "" in the daemon's, which is the client's too where both use the same.
    """

    public: str
    secret: str
    path: Path
    server: str = ""

    def serve(self, socket: "zmq.Socket[Any]") -> None:
        """Require the key of all who connect to what the socket binds next."""
        socket.curve_server = True
        socket.curve_publickey, socket.curve_secretkey = self.public.encode(), self.secret.encode()

    def show(self, socket: "zmq.Socket[Any]") -> None:
        """Present the key on the socket's next connection, and require it of the other side."""
        socket.curve_serverkey, socket.curve_publickey = (self.server or self.public).encode(), self.public.encode()
        socket.curve_secretkey = self.secret.encode()


def concerns(address: str) -> bool:
    """Return whether a key matters at an address."""
    return address.startswith("tcp://")


def places() -> list[Path]:
    """List the default places of a key; the first is the user's own."""
    return [home.config() / "asrd.key", Path("/etc/asrd/asrd.key")]


def chosen() -> str:
    """Return the key file to use: `$ASRD_KEY`, `key` in asrd.toml, or the credential of a service of systemd
    or the first readable one of `places`; else "none".

    Raises UsageError if the settings cannot be read.
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    candidates = [*([Path(credentials) / "asrd.key"] if credentials else []), *places()]
    default = next((str(path) for path in candidates if os.access(path, os.R_OK)), NONE)
    return os.environ.get(VARIABLE) or configured("key") or default


def find(name: str | Path | None = None) -> Key | None:
    """Load the key from a file, by default the one that is `chosen`; None if that is "none".

    Raises UsageError if there is no such file, it holds no key, or everyone may read it.
    """
    name = str(name or chosen())
    return None if name == NONE else _load(Path(name).expanduser())


def create(path: Path, server: str = "") -> Key:
    """Make a key in a new file that only its owner can read. server: of a client's own, as in `Key`.

    Raises UsageError if the file exists or cannot be written.
    """
    import zmq

    public, secret = (half.decode() for half in zmq.curve_keypair())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"{path} is there already; to shut out all who have it, remove it and make a new one"
        ) from error
    except OSError as error:
        raise UsageError(f"the key {path} cannot be written: {error.strerror}; choose another file with -o") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f'{CLIENT if server else HEAD}public = "{public}"\nsecret = "{secret}"\n')
        file.write(f'server = "{server}"\n' if server else "")
    return Key(public, secret, path, server)


def _load(path: Path) -> Key:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}; 'asrd key new' makes one") from error
    except ValueError:  # neither TOML nor text
        found = {}
    halves = found.get("public"), found.get("secret")
    server = found.get("server", "")
    if not all(isinstance(half, str) and len(half) == 40 for half in (*halves, server or halves[0])):
        raise UsageError(f"{path} holds no key; copy the daemon's again, or make one with 'asrd key new'")
    check_private(path, "the key")
    return Key(*halves, path, server)  # type: ignore[arg-type]

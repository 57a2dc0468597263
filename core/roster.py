"""The clients that have keys of their own: `clients.toml`, beside the daemon's key."""

import fcntl
import hashlib
import os
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from asrd.core.errors import UsageError
from asrd.core.key import Key, create, places
from asrd.core.rewrite import rewrite
from asrd.core.roles import Role, Roles, ordered

FILE = "clients.toml"

HEAD = "# The clients of an asrd daemon. 'asrd key new NAME' and 'asrd key revoke NAME' write it.\n"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_PUBLIC = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


@dataclass(frozen=True, slots=True)
class Client:
    """public: its public key, in Z85."""

    name: str
    public: str
    roles: Roles
    made: datetime

    @property
    def fingerprint(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of its public key."""
        return hashlib.sha256(self.public.encode()).hexdigest()[:16]


class Roster:
    """The file of a daemon's clients. Several processes may change it at once."""

    def __init__(self, key: Key) -> None:
        """key: the daemon's. Raises UsageError for a client's."""
        if key.server:
            raise UsageError(
                f"{key.path} is a client's key; a daemon needs its own, or none: name it with --key or in ASRD_KEY"
            )
        self._key = key
        self.path = _place(key.path)

    def read(self) -> dict[str, Client]:
        """Return the clients by name; none if there is no file. Raises UsageError if it cannot be used."""
        try:
            text = self.path.read_text(encoding="utf-8")
            others = self.path.stat().st_mode & 0o022
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UsageError(f"the list of clients {self.path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise self._broken() from error
        if others:
            raise UsageError(
                f"others on this machine may write the list of clients {self.path}; chmod go-w {self.path}"
            )
        try:
            return {name: _client(name, entry) for name, entry in tomllib.loads(text).items()}
        except (ValueError, KeyError, TypeError) as error:
            raise self._broken() from error

    def add(self, name: str, roles: Roles, path: Path) -> Client:
        """Make a key for a new client, in a new file for it alone, and enter the client.

        Raises UsageError for a name that cannot be one or is taken, and for files that cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(f"'{name}' is no name for a client; take letters, digits, - and _, and name files with -o")
        with self._changing() as clients:
            if name in clients:
                raise UsageError(f"there is a client {name} already; 'asrd key revoke {name}' shuts it out")
            made = create(path, server=self._key.public)
            client = clients[name] = Client(
                name, made.public, frozenset(roles), datetime.now(UTC).replace(microsecond=0)
            )
            try:
                self._write(clients)
            except UsageError:
                path.unlink()
                raise
        return client

    def revoke(self, name: str) -> Client:
        """Remove a client. Raises UsageError if there is none of this name."""
        with self._changing() as clients:
            if name not in clients:
                known = f"there are: {', '.join(clients)}" if clients else "there are none"
                raise UsageError(f"no client is called '{name}'; {known}")
            client = clients.pop(name)
            self._write(clients)
        return client

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Client]]:
        """Read the clients, and keep other writers out meanwhile."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path.with_name(f".{FILE}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._not_written(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self.read()
        finally:
            os.close(handle)

    def _write(self, clients: dict[str, Client]) -> None:
        try:
            rewrite(self.path, HEAD + "".join(map(_entry, clients.values())))
        except OSError as error:
            raise self._not_written(error) from error

    def _broken(self) -> UsageError:
        return UsageError(f"{self.path} is no list of clients; mend it, or remove it to shut all of them out")

    def _not_written(self, error: OSError) -> UsageError:
        return UsageError(f"the list of clients {self.path} cannot be written: {error.strerror}")


def members(key: Key | None) -> dict[str, Roles]:
    """Return the roles of all clients by public key. Raises UsageError as `Roster` does."""
    return {client.public: client.roles for client in Roster(key).read().values()} if key else {}


def _place(key: Path) -> Path:
    """Return the place of the list: beside the key, or, as credentials of systemd are copies, where keys are."""
    if key.parent != Path(os.environ.get("CREDENTIALS_DIRECTORY", "/etc/credstore")) and key.parent.name != "credstore":
        return key.with_name(FILE)
    lists = [place.with_name(FILE) for place in places()]
    return next((path for path in lists if os.access(path, os.R_OK)), lists[-1 if os.geteuid() == 0 else 0])


def _client(name: str, entry: dict[str, object]) -> Client:
    """Raise ValueError, KeyError or TypeError for an entry that is none."""
    public, roles, made = entry["public"], entry["roles"], entry["made"]
    if not (isinstance(public, str) and isinstance(roles, list) and isinstance(made, datetime)):
        raise TypeError(name)
    if not (_NAME.fullmatch(name) and _PUBLIC.fullmatch(public)):
        raise ValueError(name)
    return Client(name, public, frozenset(map(Role, roles)), made)


def _entry(client: Client) -> str:
    roles = ", ".join(f'"{role}"' for role in ordered(client.roles))
    return f'\n[{client.name}]\npublic = "{client.public}"\nroles = [{roles}]\nmade = {client.made.isoformat()}\n'

"""Reserve the file of a journal for one daemon and its user, and put aside one that is damaged."""

import fcntl
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from asrd.core.errors import AsrdError, reason
from asrd.daemon.journal.store import ForeignError, Store

LOG = ("-wal", "-shm")
"""Endings of the files that SQLite keeps beside a database in use."""


def lock(path: Path) -> int:
    """Make the directory, and reserve the file as long as the returned descriptor is open. Raises AsrdError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(f"{path}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AsrdError(
            f"no journal can be kept at {path}: {reason(error)}; name a file with --journal, or use --no-journal"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AsrdError(
            f"another daemon keeps its journal at {path}; name another file with --journal, or use --no-journal"
        ) from error
    return descriptor


def open_store(path: Path, first: int | None = None) -> tuple[Store, str]:
    """Open the journal, with a new file if there is none. Only this user can read it.

    A file that is damaged or something else is moved aside, so that there is always a journal. Returns it, and what
    was wrong, or "". first: the `seq` of the next event, where the daemon knows it.

    Raises OSError or sqlite3.OperationalError if it cannot be written now.
    """
    try:
        return _open(path, first, first), ""
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, ForeignError) as error:
        why = reason(error)
    other = _aside(path)
    store = _open(path, leap() if first is None else first, leap())
    return store, f"the journal {path} was unusable ({why}); it is now {other}"


def try_to_open(path: Path) -> tuple[Store | None, str]:
    """Open the journal like `open_store`; None, and why, if it cannot be written now."""
    try:
        return open_store(path)
    except (OSError, sqlite3.OperationalError) as error:
        return None, unwritable(path, error)


def unwritable(path: Path, error: Exception) -> str:
    """Return what to say about a journal that cannot be written now."""
    return f"the journal {path} cannot be written ({reason(error)}); asrd goes on without, and tries again"


def leap() -> int:
    """Return a `seq` for when the last one is unknown: milliseconds are larger, for nobody publishes that fast."""
    return time.time_ns() // 1_000_000


def _open(path: Path, kept: int | None, following: int | None) -> Store:
    """Open the file. kept, following: first `seq` that a new file has, and the first after a restart."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    path.chmod(0o600)
    store = Store(path, create=True)
    if kept is not None and not store.rows("SELECT 1 FROM events LIMIT 1"):
        store.commit([("UPDATE facts SET value = max(value, ?) WHERE name = 'kept'", (kept,))])
    if following is not None:
        store.commit([("UPDATE facts SET value = max(value, ?) WHERE name = 'next'", (following,))])
    return store


def _aside(path: Path) -> Path:
    """Rename the file and its log. The one that was moved before is replaced, so that they do not fill the disk."""
    other = path.with_name(f"{path.name}.unusable")
    for ending in ("", *LOG):
        with suppress(FileNotFoundError):
            Path(f"{other}{ending}").unlink()
        with suppress(FileNotFoundError):
            Path(f"{path}{ending}").rename(f"{other}{ending}")
    return other

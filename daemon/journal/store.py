"""The journal's file: a SQLite database in WAL mode. No threads and no asyncio here.

Events are kept by `seq`, which never comes twice. A commit survives the end of the process at once, and a power cut
from the next checkpoint on.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from asrd.core.errors import AsrdError

IDENTITY = 0x61737264
"""The application id of a journal, "asrd"."""

FORMAT = 1

PAGE = 1 << 20
"""Bytes of events that one read returns at most, unless a single event is longer."""

STEP = 50
"""Events that are deleted in one transaction, and pages that are freed in one: a writer waits a few milliseconds."""

PATIENCE = 2.0
"""Seconds to wait for another process that holds the file."""

_SCHEMA = f"""
PRAGMA application_id = {IDENTITY};
PRAGMA user_version = {FORMAT};
CREATE TABLE events (seq INTEGER PRIMARY KEY, time REAL, stream TEXT, type TEXT, payload TEXT);
CREATE TABLE missing (first INTEGER PRIMARY KEY, last INTEGER);
CREATE TABLE utterances (stream TEXT, number INTEGER, daemon TEXT, payload TEXT, PRIMARY KEY (stream, number));
CREATE TABLE heard (stream TEXT PRIMARY KEY, daemon TEXT, position INTEGER, session TEXT, frames INTEGER);
CREATE TABLE positions (name TEXT PRIMARY KEY, seq INTEGER, time REAL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER);
INSERT INTO facts VALUES ('next', 0), ('kept', 0);
"""

Change = tuple[str, Sequence[Any]]
"""A statement and its values."""


class ForeignError(AsrdError):
    """A file that is no journal of this version."""


class Page(NamedTuple):
    """Events as JSON, the oldest first; those up to `last` are all there is, except for the ranges in `missing`."""

    payloads: list[str]
    last: int
    missing: list[tuple[int, int]]


class Store:
    """An open journal. Used from one thread at a time."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open. create: make the file if there is none, and check the whole of it if there is.

        Raises sqlite3.OperationalError if it cannot be used now, another sqlite3.DatabaseError if it is damaged, and
        ForeignError if it is something else.
        """
        uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        self._connection = sqlite3.connect(
            uri, timeout=PATIENCE, isolation_level=None, check_same_thread=False, uri=True
        )
        try:
            self._prepare(create)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, create: bool) -> None:
        run = self._connection.execute
        empty = not run("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if empty and create:
            run("PRAGMA auto_vacuum = INCREMENTAL")
            run("PRAGMA journal_mode = WAL")
            self._connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        identity = [run(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        if identity != [IDENTITY, FORMAT]:
            raise ForeignError("it is no journal of this version of asrd")
        run("PRAGMA synchronous = NORMAL")
        run("PRAGMA secure_delete = ON")
        run("PRAGMA wal_autocheckpoint = 0")
        run("PRAGMA journal_size_limit = 1000000")
        if create and (fault := run("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(fault)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def commit(self, changes: Iterable[Change]) -> None:
        """Carry out all changes, or none."""
        with self._transaction():
            for statement, values in changes:
                self._connection.execute(statement, values)

    def read(self, first: int, last: int, room: int = PAGE) -> Page:
        """Return the events `first <= seq <= last`: the oldest, as many as fit into `room` bytes, at least one."""
        kept = self.fact("kept")
        missing = [(first, min(last, kept - 1))] if first < kept else []
        found: list[str] = []
        for seq, payload in self._connection.execute(
            "SELECT seq, payload FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)
        ):
            room -= len(payload)
            if found and room < 0:
                last = seq - 1
                break
            found.append(payload)
        missing += self._connection.execute(
            "SELECT max(first, ?), min(last, ?) FROM missing WHERE last >= ? AND first <= ? ORDER BY first",
            (first, last, max(first, kept), last),
        )
        return Page(found, last, [(one, min(other, last)) for one, other in missing if one <= last])

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a SELECT finds."""
        return self._connection.execute(statement, values).fetchall()

    def fact(self, name: str) -> int:
        """Return "next", the `seq` that no event can have yet, or "kept", from which on events are all there."""
        return int(self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()[0])

    def next(self) -> int:
        """Return the `seq` for the next event: larger than any that was given out."""
        newest = self._connection.execute("SELECT max(seq) FROM events").fetchone()[0]
        return max(self.fact("next"), self.fact("kept"), 0 if newest is None else newest + 1)

    def position(self, name: str) -> int | None:
        """Return the last event that a consumer acknowledged, or None if it is not known."""
        found = self._connection.execute("SELECT seq FROM positions WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def since(self, time: float) -> int | None:
        """Return the first event at or after a Unix time, or None."""
        found = self._connection.execute("SELECT min(seq) FROM events WHERE time >= ?", (time,)).fetchone()
        return None if found is None else found[0]

    def prune(self, before: float, size: int) -> int:
        """Delete the oldest events, at most `STEP`: those before a Unix time, and any while the file has more bytes
        than `size`. Returns how many; 0 if there is nothing to delete.
        """
        with self._transaction():
            oldest = "SELECT seq FROM events ORDER BY seq LIMIT ?"
            if self.bytes > size:
                gone = self.rows(f"DELETE FROM events WHERE seq IN ({oldest}) RETURNING seq", (STEP,))
            else:
                aged = f"DELETE FROM events WHERE seq IN ({oldest}) AND time < ? RETURNING seq"
                gone = self.rows(aged, (STEP, before))
            if gone:
                kept = 1 + max(seq for (seq,) in gone)
                self._connection.execute("UPDATE facts SET value = max(value, ?) WHERE name = 'kept'", (kept,))
                self._connection.execute("DELETE FROM missing WHERE last < ?", (kept,))
                self._connection.execute("DELETE FROM positions WHERE time < ? AND seq < ?", (before, kept))
        if gone:
            self._connection.executescript(f"PRAGMA incremental_vacuum({STEP})")  # `execute` would free a single page
        return len(gone)

    @property
    def bytes(self) -> int:
        """Bytes in use; pages that were freed are not."""
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def checkpoint(self) -> None:
        """Move what was committed from the log to the database, and wait for the disk. Others may go on writing."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close; the last one to do so empties the log."""
        self._connection.close()

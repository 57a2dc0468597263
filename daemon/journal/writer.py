"""Commit changes in a thread of its own, as many at once as have come meanwhile.

If the disk refuses, the changes wait, up to a bound, and are tried again; nobody waits for them any more.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from asrd.core.errors import reason
from asrd.daemon.journal import changes
from asrd.daemon.journal.file import open_store, unwritable
from asrd.daemon.journal.store import Change, Store

log = logging.getLogger(__name__)

BACKLOG = 4096
"""Most changes of events that wait for the disk; then the oldest are given up."""

BACKLOG_BYTES = 16 << 20

RETRY = 10.0
"""Seconds between two tries to write to a disk that refused."""


class _Item(NamedTuple):
    ticket: int
    changes: Sequence[Change]
    seq: int | None  # of the event that would be missing
    size: int


class Writer:
    """Writes to one journal, from `start` to `close`."""

    def __init__(
        self,
        path: Path,
        store: Store | None,
        following: int,
        committed: Callable[[int], None],
        tell: Callable[[str], None],
    ) -> None:
        """store: None if it could not be opened. following: the `seq` of the first event. committed: called in the
        thread with the last ticket that nobody needs to wait for any more. tell: called in the thread with what went
        wrong, once for each trouble.
        """
        self._path, self._store = path, store
        self._committed, self._tell = committed, tell
        self._news = threading.Condition()
        self._waiting: deque[_Item] = deque()
        self._bytes = 0
        self._lost: tuple[int, int] | None = None
        self._reserve: int | None = None
        self._following = following
        self._last = 0
        self._closing = False
        self.failure = "" if store else "it cannot be opened"
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def put(self, made: Sequence[Change], seq: int | None = None) -> int:
        """Have changes committed, after all before them; returns their ticket. Does not wait. seq: of the event that
        is lost if they are not.
        """
        size = sum(len(value) for _, values in made for value in values if isinstance(value, str))
        with self._news:
            self._last += 1
            self._waiting.append(_Item(self._last, made, seq, size))
            self._bytes += size
            while len(self._waiting) > BACKLOG or self._bytes > BACKLOG_BYTES:
                self._give_up(self._waiting.popleft())
            self._news.notify()
            return self._last

    def reserve(self, number: int) -> None:
        """Have the first `seq` after a crash written. It may come a little late, but is never given up."""
        with self._news:
            self._reserve = number
            self._news.notify()

    def close(self, within: float) -> None:
        """Commit what waits, within `within` seconds, and end the thread."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join(within)

    def _give_up(self, item: _Item) -> None:
        self._bytes -= item.size
        if item.seq is not None:
            self._lost = (min(self._lost[0], item.seq) if self._lost else item.seq, item.seq)

    def _work(self) -> None:
        again = time.monotonic() + RETRY if self.failure else 0.0
        while True:
            with self._news:
                while not self._closing and (not self._due or time.monotonic() < again):
                    self._news.wait(max(0.0, again - time.monotonic()) if self._due else None)
                batch, lost, reserve, closing = list(self._waiting), self._lost, self._reserve, self._closing
            if batch or reserve:
                again = 0.0 if self._commit(batch, lost, reserve) else time.monotonic() + RETRY
            if batch:
                self._committed(batch[-1].ticket)
            if closing:
                break
        if self._store:
            self._store.close()

    @property
    def _due(self) -> bool:
        return bool(self._waiting or self._reserve)

    def _commit(self, batch: Sequence[_Item], lost: tuple[int, int] | None, reserve: int | None) -> bool:
        """Write a batch; returns False if it has to be tried again."""
        made = [change for item in batch for change in item.changes]
        if lost:
            made += changes.of_loss(*lost)
        if reserve:
            made += changes.of_number(reserve)
        try:
            self._write(made, max((item.seq + 1 for item in batch if item.seq is not None), default=0))
        except (OSError, sqlite3.Error) as error:
            if not self.failure:
                self.failure = reason(error)
                self._tell(unwritable(self._path, error))
            return False
        if self.failure:
            self.failure = ""
            log.warning("the journal %s is written again", self._path)
        with self._news:
            while batch and self._waiting and self._waiting[0].ticket <= batch[-1].ticket:
                self._bytes -= self._waiting.popleft().size
            self._lost = None if self._lost == lost else self._lost
            self._reserve = None if self._reserve == reserve else self._reserve
        return True

    def _write(self, made: Sequence[Change], following: int) -> None:
        """Commit, with a new file if this one turns out to be damaged."""
        try:
            (self._reopened() if self.failure or not self._store else self._store).commit(made)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._reopened().commit(made)
        self._following = max(self._following, following)

    def _reopened(self) -> Store:
        if self._store:
            self._store.close()
            self._store = None
        self._store, trouble = open_store(self._path, self._following)
        if trouble:
            self._tell(trouble)
        return self._store

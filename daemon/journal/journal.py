"""The journal as the daemon's event loop sees it: nothing here waits for the disk longer than a moment."""

import asyncio
import os
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from asrd.core.errors import UsageError
from asrd.core.events import PASSING, Event
from asrd.daemon.journal import changes, file
from asrd.daemon.journal.care import Caretaker
from asrd.daemon.journal.changes import Heard
from asrd.daemon.journal.options import JournalOptions
from asrd.daemon.journal.store import Change, ForeignError, Page, Store
from asrd.daemon.journal.writer import Writer
from asrd.daemon.threads import in_thread

RESERVE = 10_000
"""Numbers that are reserved at once: after a crash `seq` leaps by fewer."""

MOMENT = 0.25
"""Most seconds that an event waits for a disk that neither takes it nor refuses."""

MAX_NAMES = 1_000
"""Most consumers whose positions are kept."""

STREAMS = 4096
"""Most streams of which it is kept how far they were heard; those heard longest ago are forgotten first."""

T = TypeVar("T")


class Journal:
    """Keeps every lasting event before it is published.

    first: the `seq` of the first event. open: what is known of each utterance that a crash left open, as the JSON of
    its `started` or its last `partial`. heard: how far each stream was heard, by its name.
    """

    def __init__(self, options: JournalOptions, store: Store | None, trouble: str, lock: int) -> None:
        """Take a file that was opened, or could not be. Call it in a running event loop."""
        self.path = options.file
        self.first = self._next = self._reserved = store.next() if store else file.leap()
        self.open = [payload for (payload,) in _rows(store, "SELECT payload FROM utterances ORDER BY stream, number")]
        self.heard = {stream: Heard(*values) for stream, *values in _rows(store, "SELECT * FROM heard ORDER BY rowid")}
        positions = _rows(store, "SELECT name, seq FROM positions")
        self._positions: dict[str, int] = dict(positions)
        self._lock = lock
        self._troubles: asyncio.Queue[str] = asyncio.Queue()
        self._last = self._done = 0
        self._hangs = False
        self._awaited: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._loop = asyncio.get_running_loop()
        tell = self._troubles.put_nowait
        if trouble:
            tell(trouble)
        self._writer = Writer(options.file, store, self.first, self._later(self._advance), self._later(tell))
        self._care = Caretaker(options)

    @classmethod
    async def start(cls, options: JournalOptions) -> Self:
        """Reserve and open the file. Raises AsrdError if another daemon has it, or none can be kept there."""
        lock = file.lock(options.file)
        try:
            return cls(options, *await in_thread(file.try_to_open, options.file), lock)
        except BaseException:
            os.close(lock)
            raise

    def write(self, event: Event, payload: bytes) -> int:
        """Have a numbered event written; returns the ticket to wait for before it is published."""
        self._next = event.seq + 1
        made = changes.of_event(event, payload)
        if self._next > self._reserved - RESERVE // 2:
            self._reserved = self._next + RESERVE
            self._writer.reserve(self._reserved)
        return self._put(made, None if isinstance(event, PASSING) else event.seq)

    def hears(self, stream: str, heard: Heard) -> None:
        """Note how far a stream was heard, if that is news."""
        if self.heard.get(stream) != heard:
            self.heard.pop(stream, None)
            self.heard[stream] = heard
            self._put(changes.of_heard(stream, heard))
        while len(self.heard) > STREAMS:
            del self.heard[oldest := next(iter(self.heard))]
            self._put(changes.of_oblivion(oldest))

    def _put(self, made: list[Change], seq: int | None = None) -> int:
        if made:
            self._last = self._writer.put(made, seq)
        return self._last

    async def settled(self, ticket: int) -> None:
        """Wait until all up to a ticket is written, or the disk has had its chance."""
        if ticket <= self._done or self._hangs or self._writer.failure:
            return
        future = self._loop.create_future()
        self._awaited.append((ticket, future))
        await asyncio.wait([future], timeout=MOMENT)
        if not future.done() and not self._hangs:
            self._hangs = True
            self._troubles.put_nowait(f"the disk of the journal {self.path} hangs; asrd goes on without waiting for it")

    async def report(self, complain: Callable[[str], Awaitable[None]]) -> None:
        """Say what goes wrong, until cancelled."""
        while True:
            await complain(await self._troubles.get())

    async def read(self, first: int, last: int) -> Page:
        """Return the events `first <= seq <= last` that are written, as `Store.read` does."""
        nothing = Page([], last, [(first, last)])
        return await in_thread(_ask, self.path, lambda store: store.read(first, last), nothing)

    async def since(self, when: float) -> int:
        """Return the first event at or after a Unix time, or the next one."""
        found = await in_thread(_ask, self.path, lambda store: store.since(when), None)
        return self._next if found is None else found

    def position(self, name: str) -> int | None:
        """Return the last event that a consumer acknowledged, or None if it is not known."""
        return self._positions.get(name)

    async def acknowledge(self, name: str, seq: int) -> None:
        """Keep a consumer's position, which never goes back. Raises UsageError for one consumer too many."""
        if name not in self._positions and len(self._positions) >= MAX_NAMES:
            raise UsageError(f"positions of {MAX_NAMES} consumers are kept, and no more; use a name that is known")
        self._positions[name] = max(min(seq, self._next - 1), self._positions.get(name, -1))
        await self.settled(self._put(changes.of_position(name, self._positions[name], time.time())))

    def close(self, within: float) -> None:
        """Write what waits, within `within` seconds, and release the file."""
        self._care.close()
        self._writer.reserve(self._next)
        self._writer.close(within)
        os.close(self._lock)

    def _later(self, call: Callable[[T], None]) -> Callable[[T], None]:
        """Return a call for other threads: it is made in the loop, if that still runs."""

        def make(argument: T) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(call, argument)

        return make

    def _advance(self, ticket: int) -> None:
        self._done = ticket
        self._hangs = self._hangs and ticket < self._last
        while self._awaited and self._awaited[0][0] <= ticket:
            future = self._awaited.popleft()[1]
            if not future.done():
                future.set_result(None)


def _rows(store: Store | None, statement: str) -> list[tuple[Any, ...]]:
    return store.rows(statement) if store else []


def _ask(path: Path, question: Callable[[Store], T], otherwise: T) -> T:
    """Ask over a connection of its own, which waits for nobody who writes."""
    try:
        with Store(path) as store:
            return question(store)
    except (OSError, sqlite3.Error, ForeignError):  # whoever writes will say so
        return otherwise

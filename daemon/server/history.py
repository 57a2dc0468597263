"""Past events for clients that missed some: the latest from memory, and those before them from the journal."""

from collections import deque
from typing import Any, NamedTuple

import msgspec

from asrd.core.control import Past
from asrd.core.errors import UsageError
from asrd.core.events import PASSING, Event
from asrd.daemon.journal.journal import Journal

REMEMBERED = 4096
"""Lasting events kept in memory: some hours of one talkative stream."""

REMEMBERED_BYTES = 16 << 20
"""Maximum size of all of them, in bytes: finals of long utterances are long."""

PASSED = 512
"""Events kept in memory that hold only until the next of their type, such as partials."""

PASSED_BYTES = 2 << 20

REPLAYED_BYTES = 1 << 20
"""Maximum bytes of events in one answer: it is held until the client has read it. Clients ask again for the rest."""


class _Numbered(msgspec.Struct):
    seq: int


class _Kept(NamedTuple):
    seq: int
    time: float
    payload: bytes


class _Memory:
    """The latest events. oldest: from this `seq` on they are all there."""

    def __init__(self, count: int, size: int) -> None:
        self.events: deque[_Kept] = deque()
        self.oldest = 0
        self._count, self._size, self._bytes = count, size, 0

    def add(self, kept: _Kept) -> None:
        self.events.append(kept)
        self._bytes += len(kept.payload)
        while len(self.events) > self._count or self._bytes > self._size:
            gone = self.events.popleft()
            self.oldest = gone.seq + 1
            self._bytes -= len(gone.payload)

    def within(self, first: int, last: int) -> list[_Kept]:
        return [kept for kept in self.events if first <= kept.seq <= last]


class History:
    """What a publisher has published, and daemons before it that kept the same journal."""

    def __init__(self, daemon: str) -> None:
        """daemon: the publisher's own identity."""
        self.journal: Journal | None = None
        self._daemon = daemon
        self._lasting = _Memory(REMEMBERED, REMEMBERED_BYTES)
        self._passing = _Memory(PASSED, PASSED_BYTES)

    def begin(self, journal: Journal) -> None:
        """Continue a journal. Nothing may have been published before."""
        self.journal = journal
        self._lasting.oldest = journal.first

    def add(self, event: Event, payload: bytes) -> None:
        """Remember an event. It is in memory before it is in the journal."""
        memory = self._passing if isinstance(event, PASSING) else self._lasting
        memory.add(_Kept(event.seq, event.time, payload))

    async def replay(self, first: int, last: int) -> list[Any]:
        """Return the events `first <= seq <= last`, also those that pass as far as they are remembered, ready to be
        sent as JSON: the oldest, as many as fit into one answer, and at least one if there is one.
        """
        while True:
            past = await self.recall(first, last)
            passed = self._passing.within(first, past.last)
            found = {msgspec.json.decode(event, type=_Numbered).seq: event for event in past.events}
            found |= {kept.seq: msgspec.Raw(kept.payload) for kept in passed}
            if found or past.last >= last:
                return [found[seq] for seq in sorted(found)]
            first = past.last + 1

    async def recall(self, first: int, last: int, daemon: str = "") -> Past:
        """Answer a `Recall`."""
        first = max(first, 0)
        if not self.journal and daemon and daemon != self._daemon:
            first = 0  # of this daemon's own count
        if self.journal and first < self._lasting.oldest:
            page = await self.journal.read(first, min(last, self._lasting.oldest - 1))
            return Past(
                self._daemon, first, page.last, [msgspec.Raw(one.encode()) for one in page.payloads], page.missing
            )
        found: list[Any] = []
        room = REPLAYED_BYTES
        for kept in self._lasting.within(first, last):
            room -= len(kept.payload)
            if found and room < 0:
                last = kept.seq - 1
                break
            found.append(msgspec.Raw(kept.payload))
        forgotten = [(first, min(last, self._lasting.oldest - 1))] if first < self._lasting.oldest else []
        return Past(self._daemon, first, last, found, forgotten)

    async def since(self, time: float, following: int) -> int:
        """Return the first lasting event at or after a Unix time, or `following`."""
        if self.journal:
            return await self.journal.since(time)
        return next((kept.seq for kept in self._lasting.events if kept.time >= time), following)

    def position(self, name: str) -> int | None:
        """Return the last event that a consumer acknowledged. Raises UsageError where positions are not kept."""
        return self._of_names().position(name)

    async def acknowledge(self, name: str, seq: int) -> None:
        """Keep the position of a consumer. Raises UsageError where positions are not kept."""
        await self._of_names().acknowledge(name, seq)

    def _of_names(self) -> Journal:
        if not self.journal:
            raise UsageError("this daemon keeps no journal, and so no positions; start it without --no-journal")
        return self.journal

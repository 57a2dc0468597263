"""What stands around a stream that is replayed: it lets the stream go on when the tape says so, not before."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from asrd.core import events
from asrd.core.errors import AudioError
from asrd.core.events import Event
from asrd.core.flow import AudioChunk, Window
from asrd.daemon.replay.detached import DetachedScheduler
from asrd.daemon.scheduling.queue import WindowQueue
from asrd.daemon.sources.base import Source
from asrd.daemon.stream.observer import Tape


class Turnstile:
    """Where the stream waits: `at`, until it is let go."""

    def __init__(self) -> None:
        self.at = ""
        self._go: asyncio.Future[AudioChunk | None] | None = None

    async def wait(self, at: str) -> AudioChunk | None:
        """Stay at a place, named `at`; returns what `go` was given."""
        self.at, self._go = at, asyncio.get_running_loop().create_future()
        return await self._go

    def go(self, chunk: AudioChunk | None = None) -> None:
        """Let it go on."""
        assert self._go
        self.at = ""
        self._go.set_result(chunk)


class GatedSource(Source):
    """Gives each chunk when the turnstile is let go with it. failure: what it ends with, or ""."""

    def __init__(self, stream: str, turnstile: Turnstile, *, live: bool) -> None:
        super().__init__(stream)
        self.live = live
        self._turnstile = turnstile
        self.failure = ""

    async def open(self) -> None:
        """Nothing to be had."""

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Until the turnstile is let go with nothing."""
        while chunk := await self._turnstile.wait("source"):
            yield chunk
        if self.failure:
            raise AudioError(self.failure)

    async def close(self) -> None:
        """Nothing to give back."""


class GatedScheduler(DetachedScheduler):
    """Holds windows until the tape says what became of them."""

    def __init__(self, turnstile: Turnstile) -> None:
        super().__init__("")
        self._turnstile = turnstile
        self.windows: dict[int, Window] = {}
        self.cut = 0

    async def submit(self, queue: WindowQueue, window: Window, *, settle: bool = False) -> None:
        """Number the window, and wait as the stream did then."""
        self.windows[self.cut] = window
        self.cut += 1
        await self._turnstile.wait("queue")


class RecordedOutlet:
    """Stamps events as they were stamped at the time."""

    def __init__(self, recorded: list[bytes], tape: Tape) -> None:
        self.recorded = recorded
        self._tape = tape
        self.made: list[bytes] = []

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        """Keep it, with the number and the time of the recorded one that it answers to."""
        number = len(self.made)
        if number < len(self.recorded):
            then = events.decode(self.recorded[number])
            event = msgspec.structs.replace(event, daemon=then.daemon, seq=then.seq, time=then.time)
            self._tape.said(self.recorded[number])
        self.made.append(events.encode(msgspec.structs.replace(event, stream=stream)))

"""Surroundings of a replayed stream, which let it continue when the tape says so, and not before."""

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
    """Hold the stream at a place named `at`, until it is released."""

    def __init__(self) -> None:
        self.at = ""
        self._go: asyncio.Future[AudioChunk | None] | None = None

    async def wait(self, at: str) -> AudioChunk | None:
        """Wait at a place named `at`; return the value given to `go`."""
        self.at, self._go = at, asyncio.get_running_loop().create_future()
        return await self._go

    def go(self, chunk: AudioChunk | None = None) -> None:
        """Release the stream."""
        assert self._go
        self.at = ""
        self._go.set_result(chunk)


class GatedSource(Source):
    """Yield each chunk when the turnstile is released with it. failure: the error it ends with, or ""."""

    patient = True

    def __init__(self, stream: str, turnstile: Turnstile, *, live: bool) -> None:
        super().__init__(stream)
        self.live = live
        self._turnstile = turnstile
        self.failure = ""

    async def open(self) -> None:
        """Do nothing: there is nothing to open."""

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield chunks until the turnstile is released without one. Raises AudioError for a recorded failure."""
        while chunk := await self._turnstile.wait("source"):
            yield chunk
        if self.failure:
            raise AudioError(self.failure)

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


class GatedScheduler(DetachedScheduler):
    """Holds windows until the tape says what became of them."""

    def __init__(self, turnstile: Turnstile) -> None:
        super().__init__("")
        self._turnstile = turnstile
        self.windows: dict[int, Window] = {}
        self.cut = 0

    async def submit(self, queue: WindowQueue, window: Window, *, settle: bool = False) -> None:
        """Number the window, and wait as the recorded stream did."""
        self.windows[self.cut] = window
        self.cut += 1
        await self._turnstile.wait("queue")


class RecordedOutlet:
    """Stamp events as they were stamped in the recording."""

    def __init__(self, recorded: list[bytes], tape: Tape) -> None:
        self.recorded = recorded
        self._tape = tape
        self.made: list[bytes] = []

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        """Keep the event, with the number and the time of the recorded event that it corresponds to."""
        number = len(self.made)
        if number < len(self.recorded):
            then = events.decode(self.recorded[number])
            event = msgspec.structs.replace(event, daemon=then.daemon, seq=then.seq, time=then.time)
            self._tape.said(self.recorded[number])
        self.made.append(events.encode(msgspec.structs.replace(event, stream=stream)))

"""Surroundings of a stream that transcribes a recording again: nothing waits, and only finals are kept."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from operator import itemgetter

import numpy as np

from asrd.core import events
from asrd.core.events import Event, Final, Partial
from asrd.core.flow import AudioChunk, Window
from asrd.core.units import Samples
from asrd.daemon.recognition.decoding import Boosts
from asrd.daemon.recognition.recognizer import NO_BOOSTS, recognize
from asrd.daemon.recorder.records import Answered, Captured, Said, Used
from asrd.daemon.replay.detached import DetachedScheduler
from asrd.daemon.replay.overrides import Overrides
from asrd.daemon.replay.takes import Take
from asrd.daemon.scheduling.queue import Result, WindowQueue
from asrd.daemon.sources.base import Source
from asrd.daemon.stream.stream import Stream


class UngatedSource(Source):
    """Yield the audio of takes. reason: comes with the first chunk, so that a new stream begins at its position."""

    patient = True

    def __init__(self, take: Take) -> None:
        super().__init__(take.begin.stream)
        self.reason = "the recording begins"
        self._queue: asyncio.Queue[Callable[[], None] | AudioChunk | None] = asyncio.Queue()

    async def open(self) -> None:
        """Do nothing: there is nothing to open."""

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield chunks until `end`."""
        while item := await self._queue.get():
            if isinstance(item, AudioChunk):
                yield item
            else:
                item()
            self._queue.task_done()

    async def play(self, take: Take, running: "asyncio.Task[None]", stream: Stream, overrides: Overrides) -> None:
        """Feed a take, and wait until all of it was read, or the stream has failed; settings change before the same
        chunks.
        """
        for record in take.records:
            if isinstance(record, Used):
                self._queue.put_nowait(partial(stream.use, overrides.settings(record.settings.restored())))
            elif isinstance(record, Captured):
                pcm, lost = np.frombuffer(record.pcm, "<f4"), Samples(record.lost)
                why = record.reason or self.reason
                self._queue.put_nowait(AudioChunk(Samples(record.start), pcm, record.captured, lost, why))
                self.reason = ""
        joining = asyncio.create_task(self._queue.join())
        await asyncio.wait([joining, running], return_when=asyncio.FIRST_COMPLETED)
        joining.cancel()

    async def end(self, running: "asyncio.Task[None]") -> None:
        """End the audio, and wait for the stream to finish."""
        self._queue.put_nowait(None)
        await running


class UngatedScheduler(DetachedScheduler):
    """Recognises each window at once; previews that nobody asks about are nobody's to see.

    boosts: hot words for an utterance that begins with the current window.
    """

    def __init__(self, overrides: Overrides) -> None:
        super().__init__(overrides.options.backend)
        self._backend, self._overrides = overrides.backend, overrides
        self._recorded: list[tuple[Samples, Boosts]] = []
        self.boosts = NO_BOOSTS

    def expect(self, take: Take) -> None:
        """Add the hot words of a take that follows."""
        self._recorded += _hot_words(take)

    async def submit(self, queue: WindowQueue, window: Window, *, settle: bool = False) -> None:
        """Recognise and deliver the window now."""
        if window.asks or not window.provisional:
            emission = recognize(self._backend, [window])[0]
            began = bisect_left(self._recorded, window.keep_end, key=itemgetter(0))
            self.boosts = self._overrides.hot(self._recorded[began - 1][1] if began else NO_BOOSTS)
            await queue.deliver(Result(window, emission, self.name, cut=0.0, started=0.0, recognized=0.0))


class Finals:
    """Keep finals, until they are taken."""

    def __init__(self) -> None:
        self._finals: list[Final] = []

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        """Keep a final; ignore other events."""
        if isinstance(event, Final):
            self._finals.append(event)

    def taken(self) -> list[Final]:
        """Return the finals since the last call."""
        finals, self._finals = self._finals, []
        return finals


def _hot_words(take: Take) -> Iterator[tuple[Samples, Boosts]]:
    """Yield where each utterance of a take began, and the hot words it was recognised with."""
    seen, boosts = set[int](), NO_BOOSTS
    for record in take.records:
        if isinstance(record, Answered):
            boosts = record.boosts
        elif isinstance(record, Said):
            event = events.decode(record.payload)
            if isinstance(event, Partial | Final) and event.utterance not in seen:  # the previous answer began it
                seen.add(event.utterance)
                yield Samples(event.start), boosts

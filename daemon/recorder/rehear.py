"""Hears a recording anew: the same audio, with whatever backend, model, settings or code there is now."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

import numpy as np

from asrd.backends import Backend
from asrd.core import events
from asrd.core.errors import AsrdError
from asrd.core.events import Event, Final
from asrd.core.flow import AudioChunk, Window
from asrd.core.units import Samples
from asrd.daemon.lane import Lane, Result
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognizer import recognize
from asrd.daemon.recorder import equipment
from asrd.daemon.recorder.records import Heard
from asrd.daemon.recorder.replay import RecordedVad
from asrd.daemon.recorder.takes import Take
from asrd.daemon.scheduler import Scheduler
from asrd.daemon.sources.base import Source
from asrd.daemon.stream import Stream, make_stream
from asrd.daemon.vad import create


def rehear(takes: Iterable[Take], backend: Backend, options: RecognitionOptions) -> Iterator[Final]:
    """The finals that are made of takes now.

    takes: of one stream, in their order. Raises AsrdError where the backend fails.
    """
    stretch = 0

    def number(take: Take) -> int:
        nonlocal stretch
        stretch += not take.follows
        return stretch

    for _, group in groupby(takes, number):
        yield from _stretch(group, backend, options)


def _stretch(group: Iterable[Take], backend: Backend, options: RecognitionOptions) -> Iterator[Final]:
    """Takes that follow each other without a break: one stream."""
    loop, outlet, scheduler = asyncio.new_event_loop(), _Finals(), _Directly(options.backend, backend)
    source: _Chunks | None = None
    try:
        for take in group:
            if source is None:
                source = _Chunks(take)
                stream, vad = _begin(take, source, scheduler, outlet, options)
                running = loop.create_task(stream.run())
            vad.expect(take.records)
            loop.run_until_complete(source.hear(take, running))
            yield from outlet.taken()
        if source:
            loop.run_until_complete(source.end(running))
            if stream.failure:
                raise AsrdError(stream.failure)
            yield from outlet.taken()
    finally:
        scheduler.close()
        loop.close()


def _begin(
    take: Take, source: "_Chunks", scheduler: "_Directly", outlet: "_Finals", options: RecognitionOptions
) -> tuple[Stream, RecordedVad]:
    """Where the audio will be cut as it was, go on from the recorded state; else begin anew."""
    then, model = equipment.options(take.begin), scheduler.backend.model
    alike = options == replace(then, backend=options.backend, load=options.load, model=options.model)
    following = alike and take.begin.index != 0
    vad = RecordedVad(create(options.vad), following=following, strict=False)
    stream = make_stream(source, options, scheduler, outlet, model, vad=vad)
    if following:
        stream.resume(take.begin.state or {})
        source.reason = ""
    return stream, vad


class _Finals:
    def __init__(self) -> None:
        self._finals: list[Final] = []

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        if isinstance(event, Final):
            self._finals.append(event)

    def taken(self) -> list[Final]:
        finals, self._finals = self._finals, []
        return finals


class _Chunks(Source):
    """The audio of takes. reason: comes with the first chunk, so that a new stream begins at its position."""

    def __init__(self, take: Take) -> None:
        super().__init__(take.begin.stream)
        self.reason = "the recording begins"
        self._queue: asyncio.Queue[AudioChunk | None] = asyncio.Queue()

    async def open(self) -> None:
        """Nothing to be had."""

    async def close(self) -> None:
        """Nothing to give back."""

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        while chunk := await self._queue.get():
            yield chunk
            self._queue.task_done()

    async def hear(self, take: Take, running: "asyncio.Task[None]") -> None:
        """Until all of it was heard, or the stream has failed."""
        for record in take.records:
            if isinstance(record, Heard):
                pcm, lost = np.frombuffer(record.pcm, "<f4"), Samples(record.lost)
                why = record.reason or self.reason
                self._queue.put_nowait(AudioChunk(Samples(record.start), pcm, record.captured, lost, why))
                self.reason = ""
        joining = asyncio.create_task(self._queue.join())
        await asyncio.wait([joining, running], return_when=asyncio.FIRST_COMPLETED)
        joining.cancel()

    async def end(self, running: "asyncio.Task[None]") -> None:
        """Close what is open."""
        self._queue.put_nowait(None)
        await running


class _Directly(Scheduler):
    """Recognises each window at once; previews that nobody asks about are nobody's to see."""

    async def submit(self, lane: Lane, window: Window, *, settle: bool = False) -> None:
        if window.asks or not window.provisional:
            emission = recognize(self.backend, [window])[0]
            await lane.deliver(Result(window, emission, self.name, cut=0.0, started=0.0, recognized=0.0))

    def close(self) -> None:
        """The backend is somebody else's."""
        self._worker.close()

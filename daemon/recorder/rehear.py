"""Hears a recording anew: the same audio, with whatever backend, model, settings or code there is now.

What changed while it was recorded, settings and hot words, changes again at the same places.
"""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import itemgetter

import numpy as np

from asrd.backends import Backend
from asrd.core import events
from asrd.core.errors import AsrdError
from asrd.core.events import Event, Final, Partial
from asrd.core.flow import AudioChunk, Window
from asrd.core.units import Samples
from asrd.daemon.decoding import Boosts, Decoding, make_decoding
from asrd.daemon.hotwords import usable
from asrd.daemon.lane import Lane, Result
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognizer import NO_BOOSTS, recognize
from asrd.daemon.recorder import equipment, state
from asrd.daemon.recorder.detector import RecordedVad
from asrd.daemon.recorder.records import Answered, Heard, Said, Used
from asrd.daemon.recorder.takes import Take
from asrd.daemon.scheduler import Scheduler
from asrd.daemon.segmenter import Segmenter
from asrd.daemon.settings import SegmenterSettings
from asrd.daemon.sources.base import Source
from asrd.daemon.stream import Stream, make_stream
from asrd.daemon.vad import create
from asrd.models import ModelDirectory


@dataclass(frozen=True, slots=True)
class Means:
    """options: to hear with, but for settings that were changed while recording. names: options that hold
    throughout, whatever was changed. boosts: hot words in place of the recorded ones; None for those.
    """

    backend: Backend
    options: RecognitionOptions
    names: frozenset[str]
    boosts: Boosts | None
    decoding: Decoding

    def settings(self, recorded: SegmenterSettings) -> SegmenterSettings:
        """What becomes of settings that were used then. Raises UsageError for what contradicts itself."""
        changed: SegmenterSettings = equipment.chosen(recorded, self.options.segmenter, set(self.names))
        return changed

    def hot(self, recorded: Boosts) -> Boosts:
        """What becomes of hot words that there were then."""
        return usable(recorded, self.decoding) if self.boosts is None else self.boosts


def rehear(
    takes: Iterable[Take],
    backend: Backend,
    options: RecognitionOptions,
    names: Collection[str] = (),
    boosts: Boosts | None = None,
) -> Iterator[Final]:
    """The finals that are made of takes now.

    takes: of one stream, in their order. The rest is as in `Means`. Raises AsrdError where the backend fails,
    UsageError where a setting of `names` contradicts one that was changed while recording.
    """
    decoding = make_decoding(options.decoding, backend.model)
    means = Means(backend, options, frozenset(names), boosts, decoding)
    stretch = 0

    def number(take: Take) -> int:
        nonlocal stretch
        stretch += not take.follows
        return stretch

    for _, group in groupby(takes, number):
        yield from _stretch(group, means)


def _stretch(group: Iterable[Take], means: Means) -> Iterator[Final]:
    """Takes that follow each other without a break: one stream."""
    loop, outlet, scheduler = asyncio.new_event_loop(), _Finals(), _Directly(means)
    source: _Chunks | None = None
    try:
        for take in group:
            if source is None:
                source = _Chunks(take)
                stream, vad = _begin(take, source, scheduler, outlet, means)
                running = loop.create_task(stream.run())
            vad.expect(take.records)
            scheduler.expect(take)
            loop.run_until_complete(source.hear(take, running, stream, means))
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
    take: Take, source: "_Chunks", scheduler: "_Directly", outlet: "_Finals", means: Means
) -> tuple[Stream, RecordedVad]:
    """Where the audio will be cut as it was, go on from the recorded state; else begin anew, with the settings
    that were in force there.
    """
    then, model, options = equipment.options(take.begin), means.backend.model, means.options
    used = _in_force(take, then.segmenter, options.vad, model)
    options = replace(options, segmenter=means.settings(used))
    then = replace(then, backend=options.backend, load=options.load, model=options.model, segmenter=used)
    following = options == then and take.begin.index != 0
    vad = RecordedVad(create(options.vad), following=following, strict=False)
    stream = make_stream(
        source, options, scheduler, outlet, model, decoding=means.decoding, hot=lambda: scheduler.boosts, vad=vad
    )
    if following:
        stream.resume(take.begin.state or {})
        source.reason = ""
    return stream, vad


def _in_force(take: Take, began: SegmenterSettings, vad: str, model: ModelDirectory) -> SegmenterSettings:
    """The settings that the recorded stream had where a take begins. began: those it was started with."""
    segmenter = Segmenter(create(vad), model.geometry, began)
    with suppress(AsrdError):  # of another version, whose state says nothing to this one
        if take.begin.state:
            state.restore(segmenter, take.begin.state["segmenter"])
    return segmenter.settings


def _hot_words(take: Take) -> Iterator[tuple[Samples, Boosts]]:
    """Where each utterance of a take began, and the hot words it was heard with."""
    seen, boosts = set[int](), NO_BOOSTS
    for record in take.records:
        if isinstance(record, Answered):
            boosts = record.boosts
        elif isinstance(record, Said):
            event = events.decode(record.payload)
            if isinstance(event, Partial | Final) and event.utterance not in seen:  # the answer before began it
                seen.add(event.utterance)
                yield Samples(event.start), boosts


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
        self._queue: asyncio.Queue[Callable[[], None] | AudioChunk | None] = asyncio.Queue()

    async def open(self) -> None:
        """Nothing to be had."""

    async def close(self) -> None:
        """Nothing to give back."""

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        while item := await self._queue.get():
            if isinstance(item, AudioChunk):
                yield item
            else:
                item()
            self._queue.task_done()

    async def hear(self, take: Take, running: "asyncio.Task[None]", stream: Stream, means: Means) -> None:
        """Until all of it was heard, or the stream has failed; settings are changed before the same chunks."""
        for record in take.records:
            if isinstance(record, Used):
                recorded = SegmenterSettings(**{name: Samples(value) for name, value in record.settings.items()})
                self._queue.put_nowait(partial(stream.use, means.settings(recorded)))
            elif isinstance(record, Heard):
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
    """Recognises each window at once; previews that nobody asks about are nobody's to see.

    boosts: hot words for an utterance that begins with the window at hand.
    """

    def __init__(self, means: Means) -> None:
        super().__init__(means.options.backend, means.backend)
        self._means = means
        self._recorded: list[tuple[Samples, Boosts]] = []
        self.boosts = NO_BOOSTS

    def expect(self, take: Take) -> None:
        """The hot words that follow."""
        self._recorded += _hot_words(take)

    async def submit(self, lane: Lane, window: Window, *, settle: bool = False) -> None:
        if window.asks or not window.provisional:
            emission = recognize(self.backend, [window])[0]
            began = bisect_left(self._recorded, window.keep_end, key=itemgetter(0))
            self.boosts = self._means.hot(self._recorded[began - 1][1] if began else NO_BOOSTS)
            await lane.deliver(Result(window, emission, self.name, cut=0.0, started=0.0, recognized=0.0))

    def close(self) -> None:
        """The backend is somebody else's."""
        self._worker.close()

"""One stream: its source is read, and cut into windows that the scheduler has recognised."""

import logging
import time
from collections.abc import Callable, Iterable

from asrd.core.errors import AsrdError, reason
from asrd.core.events import StreamStatus
from asrd.core.flow import AudioChunk, Onset, Window
from asrd.core.wire import plain
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding import Boosts, Decoding, make_decoding
from asrd.daemon.scheduling.base import WindowScheduler
from asrd.daemon.scheduling.queue import WindowQueue
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.base import Source
from asrd.daemon.state import Stateful
from asrd.daemon.stream.lag import Lag
from asrd.daemon.stream.observer import Outlet, Tape
from asrd.daemon.stream.pause import PAUSED, Pause
from asrd.daemon.stream.results import Results
from asrd.daemon.stream.state import RecordedSettings, StreamState
from asrd.daemon.stream.utterances import UtteranceEvents
from asrd.daemon.vad import Vad, create
from asrd.models import ModelDirectory

log = logging.getLogger(__name__)

MAX_WAIT_LIVE, MAX_WAIT_FILE = 0.3, 2.0
"""Seconds a window may wait, in a live stream, which someone watches, and in a file, which nobody does."""


class Stream(Stateful[StreamState]):
    """Drive a source through segmentation. `Results` handles the recognised windows.

    Back-pressure covers the whole path: a full queue stops reading from the source. A source that can wait then loses
    nothing; a live one reports what it lost.
    """

    def __init__(
        self,
        source: Source,
        segmenter: Segmenter,
        *,
        scheduler: WindowScheduler,
        queue: WindowQueue,
        utterances: UtteranceEvents,
        tape: Tape,
    ) -> None:
        """queue: the scheduler takes windows from it. tape: records everything that determines the stream's events."""
        self.source = source
        self._segmenter = segmenter
        self._scheduler = scheduler
        self._queue = queue
        self._utterances = utterances
        self._tape = tape
        self.pause = Pause(waits=source.kind == "file")
        self.lag = Lag(lambda: source.patient)
        self._wanted: SegmenterSettings | None = None
        self._open = True
        self.failure = ""

    @property
    def status(self) -> StreamStatus:
        """The current status of the stream."""
        return StreamStatus(
            source=self.source.kind,
            position=self._segmenter.position,
            waiting=len(self._queue.waiting),
            utterances=self._utterances.finished,
            lost=self._utterances.lost,
            skipped=self._queue.skipped,
            open=self._open,
            paused=self.pause.on,
            session=self.source.sent[0],
            received=self.source.sent[1],
            settings=_values(self.settings),
            hangover=self._segmenter.hangover,
            behind=round(self.behind, 2),
        )

    @property
    def behind(self) -> float:
        """How many seconds it is behind what is said; 0 if its source waits."""
        return 0.0 if self.source.patient else self.lag.seconds + self._queue.age

    @property
    def settings(self) -> SegmenterSettings:
        """The settings for the next audio."""
        return self._wanted or self._segmenter.settings

    def use(self, settings: SegmenterSettings) -> None:
        """Apply other settings from the next audio on; an event says from which position."""
        self._wanted = settings

    @property
    def queue(self) -> WindowQueue:
        """Its windows that wait for the scheduler."""
        return self._queue

    @property
    def idle(self) -> bool:
        """True if no utterance is open."""
        return self._utterances.idle

    async def run(self) -> None:
        """Run until the source ends or fails (see `failure`), then finish the open utterance.

        A defect of any kind ends this stream alone; the others continue.
        """
        try:
            async for chunk in self.lag.through(self.pause.through(self.source.chunks())):
                await self._accept(chunk)
        except AsrdError as error:
            await self._fail(str(error))
        except Exception as error:
            log.exception("%s: the source failed", self.source.stream)
            await self._fail(f"the source failed ({reason(error)}); the log says more")
        else:
            self._tape.ended("")
        finally:
            self._open = False
        try:
            await self._submit(self._segmenter.flush())
        except Exception as error:
            log.exception("%s: the end of the stream is lost", self.source.stream)
            message = f"the end of the stream is lost ({reason(error)}); the log says more"
            self.failure = self.failure or message
            await self._utterances.error(message)
            await self._scheduler.settled(self._queue)
            await self._utterances.abandon(self._segmenter.position, self._scheduler.name, time.time())

    async def tell(self, message: str) -> None:
        """Publish what users should know of the source."""
        await self._utterances.error(plain(message))

    async def abandon(self, now: float) -> None:
        """Finish open utterances with what is known of them, because there is no more time.

        A gap covers what was said since. No result may be delivered afterwards. now: Unix seconds.
        """
        self._tape.abandoned(now, self._scheduler.name)
        await self._utterances.abandon(self._segmenter.position, self._scheduler.name, now)

    async def _fail(self, message: str) -> None:
        message = plain(message)  # it may name a file
        self._tape.ended(message)
        self.failure = message
        await self._utterances.error(message)

    def state(self) -> StreamState:
        """Return the state to continue from, while no utterance is open."""
        position, captured = self._utterances.clock
        settings = RecordedSettings.of(self._segmenter.settings)
        return StreamState(position, captured, settings, self._segmenter.state(), self._utterances.writer.begins)

    def resume(self, state: StreamState) -> None:
        """Continue from the state of another stream with the same options."""
        self._utterances.clock = (state.position, state.captured)
        self._utterances.writer.begins = state.begins
        self._segmenter.use(state.settings.restored())
        self._segmenter.resume(state.segmenter)

    async def _accept(self, chunk: AudioChunk) -> None:
        if self._utterances.idle and not self._segmenter.doubts and self._queue.idle:
            self._tape.rest(self.state)
        self._queue.patient = self.source.patient
        wanted, self._wanted = self._wanted, None
        if wanted:
            self._tape.used(wanted)
        self._tape.heard(chunk)
        if wanted:
            await self._apply(wanted)
        if chunk.lost or chunk.reason:
            await self._broken(chunk)
        self._utterances.clock = (chunk.start + len(chunk.pcm), chunk.captured)
        await self._submit(self._segmenter.feed(chunk.pcm))

    async def _broken(self, chunk: AudioChunk) -> None:
        """Close the open utterance before a chunk, and publish why."""
        if chunk.reason == PAUSED:
            await self._submit(self._segmenter.gap(chunk.start, "pause"))
            await self._utterances.paused(chunk.start, on=not len(chunk.pcm))
            return
        await self._submit(self._segmenter.gap(chunk.start, "gap" if chunk.lost else "end"))
        if chunk.lost:
            await self._utterances.gap(chunk.start - chunk.lost, chunk.start, chunk.reason)
        elif self.source.live:  # a sender may leave; a microphone should not
            await self._utterances.error(chunk.reason)

    async def _apply(self, settings: SegmenterSettings) -> None:
        self._segmenter.use(settings)
        await self._utterances.settings(self._segmenter.position, _values(settings))

    async def _submit(self, items: Iterable[Onset | Window]) -> None:
        """Queue windows. A source that can wait does so until the segmenter has its answer: then events do not depend
        on the speed of the machine.
        """
        for item in items:
            if isinstance(item, Onset):
                await self._utterances.began(item)
            else:
                self._tape.cut(item)
                if item.last:
                    self._utterances.ended(item)
                await self._scheduler.submit(self._queue, item, settle=item.asks and not self.source.live)
                self._tape.queued()


def _values(settings: SegmenterSettings) -> dict[str, int]:
    """Return the settings that can change while the daemon runs."""
    return {name: setting.value for name, setting in settings.settable().items()}


def make_stream(
    source: Source,
    options: RecognitionOptions,
    scheduler: WindowScheduler,
    publisher: Outlet,
    model: ModelDirectory,
    *,
    decoding: Decoding | None = None,
    hot: Callable[[], Boosts] = dict,
    tape: Tape | None = None,
    vad: Vad | None = None,
) -> Stream:
    """Make a stream according to the options. decoding, vad: used instead of those of the options, if given. hot:
    returns the current hot words.
    """
    tape = tape or Tape()
    segmenter = Segmenter(tape.vad(vad or create(options.vad)), model.geometry, options.segmenter)
    decoding = decoding or make_decoding(options.decoding, model)
    utterances = UtteranceEvents(publisher, source.stream, options.style_of(model), clock=(0, time.time()))
    results = Results(model, decoding, hot, scheduler=scheduler, segmenter=segmenter, utterances=utterances, tape=tape)
    max_wait = MAX_WAIT_LIVE if source.live else MAX_WAIT_FILE
    queue = scheduler.queue(results.deliver, max_wait=max_wait, live=source.live)
    return Stream(source, segmenter, scheduler=scheduler, queue=queue, utterances=utterances, tape=tape)

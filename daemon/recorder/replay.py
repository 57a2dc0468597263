"""Puts a take through the daemon's own code again, with the recording's clock and in its order.

The stream, segmenter, VAD, recogniser and backend are the real ones. What the event loop, the scheduler
and the wall clock decided at the time is not decided anew: the stream waits wherever it waited, until
the tape says that it went on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from asrd.backends import Backend
from asrd.core import events
from asrd.core.errors import AsrdError, AudioError
from asrd.core.events import Event
from asrd.core.flow import AudioChunk, Emission, FloatArray, Window
from asrd.core.units import Samples
from asrd.daemon.lane import Lane, Result
from asrd.daemon.recognizer import recognize, silent
from asrd.daemon.recorder import equipment
from asrd.daemon.recorder.records import Abandoned, Answered, AnyRecord, Ended, Heard, Judged, Queued, Said, Used
from asrd.daemon.recorder.takes import Take
from asrd.daemon.recorder.tape import Tape
from asrd.daemon.scheduler import Scheduler
from asrd.daemon.settings import SegmenterSettings
from asrd.daemon.sources.base import Source
from asrd.daemon.stream import make_stream
from asrd.daemon.vad import Vad, create
from asrd.models import ModelDirectory

TURNS = 1000
"""Turns of the event loop that a stream may take to get where it was; nothing here waits for anything else."""


class DivergedError(AsrdError):
    """The replay does something else than the recording: it cannot be followed further."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An event: its payload as recorded, and as made now; None where there was none."""

    recorded: bytes | None
    made: bytes | None

    @property
    def same(self) -> bool:
        """To the bit."""
        return self.recorded == self.made


class Player:
    """Replays takes one after the other. backend: gives the loaded backend of a name."""

    def __init__(self, model: ModelDirectory, backend: Callable[[str], Backend]) -> None:
        self._model = model
        self._backend = backend
        self._vad: RecordedVad | None = None

    def play(self, take: Take, tape: Tape | None = None) -> Iterator[Pair]:
        """Every event of the take's stream, in its order, each as soon as it is known.

        tape: is told what happens, as the daemon's was. Raises DivergedError where the replay
        cannot go on as the recording did; AsrdError where the backend cannot be had.
        """
        real = create(equipment.options(take.begin).vad)
        if take.begin.index == 0:
            self._vad = RecordedVad(real, following=False)
        elif not take.follows or self._vad is None:
            self._vad = RecordedVad(real, following=True)
        self._vad.expect(None)
        loop = asyncio.new_event_loop()
        replay = _Replay(take, self._model, self._backend, vad=self._vad, tape=tape or Tape())
        self._vad.expect(take.records)
        steps = replay.steps()
        try:
            while True:
                try:
                    loop.run_until_complete(anext(steps))
                except StopAsyncIteration:
                    break
                yield from replay.pairs()
            yield from replay.rest()
        finally:
            loop.run_until_complete(replay.close())
            loop.close()


class RecordedVad:
    """Says what was said at the time, and notices where the real one says something else.

    following: the real one did not hear what came before, so it is not asked until the stream
    begins anew. strict: whether it must then say the same; else what it says now counts.
    """

    def __init__(self, real: Vad, *, following: bool, strict: bool = True) -> None:
        self.frame = real.frame
        self._real = real
        self._following = following
        self._strict = strict
        self._judged: Iterator[str] | None = None

    def expect(self, records: Sequence[AnyRecord] | None) -> None:
        """The decisions that follow; None while a segmenter is built, which resets what has heard nothing."""
        frames = None if records is None else [record.frames for record in records if isinstance(record, Judged)]
        self._judged = None if frames is None else iter("".join(frames))

    def is_speech(self, pcm: FloatArray) -> bool:
        """The recorded decision, which must also be the real one's if it heard all there was."""
        voiced = next(self._judged or iter(""), "") == "1"
        if self._following:
            return voiced
        now = self._real.is_speech(pcm)
        if self._strict and now != voiced:
            raise DivergedError("the VAD judges a frame otherwise than it did")
        return now

    def reset(self) -> None:
        """From here on the real one knows all that the recorded one knew."""
        if self._judged is None:
            return
        if next(self._judged, "") != "r" and self._strict:
            raise DivergedError("the stream begins anew where it did not")
        self._following = False
        self._real.reset()


class _Turnstile:
    """Where the stream waits: `at`, until it is let go."""

    def __init__(self) -> None:
        self.at = ""
        self._go: asyncio.Future[AudioChunk | None] | None = None

    async def wait(self, at: str) -> AudioChunk | None:
        self.at, self._go = at, asyncio.get_running_loop().create_future()
        return await self._go

    def go(self, chunk: AudioChunk | None = None) -> None:
        assert self._go
        self.at = ""
        self._go.set_result(chunk)


class _Source(Source):
    def __init__(self, stream: str, turnstile: _Turnstile, *, live: bool) -> None:
        super().__init__(stream)
        self.live = live
        self._turnstile = turnstile
        self.failure = ""

    async def open(self) -> None:
        """Nothing to be had."""

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        while chunk := await self._turnstile.wait("source"):
            yield chunk
        if self.failure:
            raise AudioError(self.failure)

    async def close(self) -> None:
        """Nothing to give back."""


class _Scheduler(Scheduler):
    """Holds windows until the tape says what became of them."""

    def __init__(self, backend: Backend, turnstile: _Turnstile) -> None:
        super().__init__("", backend)
        self._turnstile = turnstile
        self.windows: dict[int, Window] = {}
        self.cut = 0

    async def submit(self, lane: Lane, window: Window, *, settle: bool = False) -> None:
        self.windows[self.cut] = window
        self.cut += 1
        await self._turnstile.wait("queue")

    def named(self, name: str) -> None:
        self._name = name

    def close(self) -> None:
        self._worker.close()  # the backend is somebody else's


class _Outlet:
    """Stamps events as they were stamped at the time."""

    def __init__(self, recorded: list[bytes], tape: Tape) -> None:
        self.recorded = recorded
        self._tape = tape
        self.made: list[bytes] = []

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        number = len(self.made)
        if number < len(self.recorded):
            then = events.decode(self.recorded[number])
            event = msgspec.structs.replace(event, daemon=then.daemon, seq=then.seq, time=then.time)
            self._tape.said(self.recorded[number])
        self.made.append(events.encode(msgspec.structs.replace(event, stream=stream)))


class _Replay:
    def __init__(
        self,
        take: Take,
        model: ModelDirectory,
        backend: Callable[[str], Backend],
        *,
        vad: RecordedVad,
        tape: Tape,
    ) -> None:
        options = equipment.options(take.begin)
        self._take = take
        self._model = model
        self._backend = backend
        self._turnstile = _Turnstile()
        self._source = _Source(take.begin.stream, self._turnstile, live=take.begin.live)
        self._scheduler = _Scheduler(backend(options.backend), self._turnstile)
        self._outlet = _Outlet([record.payload for record in take.records if isinstance(record, Said)], tape)
        self._boosts: dict[str, float] = {}
        self._stream = make_stream(
            self._source, options, self._scheduler, self._outlet, model, hot=lambda: self._boosts, tape=tape, vad=vad
        )
        self._lane = self._scheduler.lanes[0]
        self._stream.resume(take.begin.state or {})
        self._paired = self._said = 0
        self._task: asyncio.Task[None] | None = None

    async def steps(self) -> AsyncIterator[AnyRecord]:
        """Do what each record says, and say which."""
        self._task = asyncio.create_task(self._stream.run())
        for record in self._take.records:
            await self._step(record)
            yield record

    async def _step(self, record: AnyRecord) -> None:
        match record:
            case Heard():
                await self._arrived("source")
                pcm = np.frombuffer(record.pcm, "<f4")
                self._turnstile.go(
                    AudioChunk(Samples(record.start), pcm, record.captured, Samples(record.lost), record.reason)
                )
            case Queued():
                await self._arrived("queue")
                self._turnstile.go()
            case Answered():
                await self._until(lambda: record.window in self._scheduler.windows, "a window was cut")
                await self._answer(record)
            case Used():
                settings = {name: Samples(value) for name, value in record.settings.items()}
                self._stream.use(SegmenterSettings(**settings))
            case Said():
                self._said += 1
                await self._until(lambda: len(self._outlet.made) >= self._said, "an event was published")
            case Ended():
                await self._arrived("source")
                self._source.failure = record.failure
                self._turnstile.go(None)
            case Abandoned():
                assert self._task
                self._task.cancel()
                self._scheduler.named(record.backend)
                await self._stream.abandon(record.now)

    async def _answer(self, record: Answered) -> None:
        window = self._scheduler.windows[record.window]
        self._scheduler.windows = {n: w for n, w in self._scheduler.windows.items() if n > record.window}
        self._scheduler.named(record.backend)
        if record.failure:
            emission = silent(window, self._model)
        else:
            emission = _recognize(self._backend(record.backend), window, record.row, record.rows)
        times = (record.cut, record.started, record.recognized)
        self._boosts = record.boosts
        await self._lane.deliver(
            Result(window, emission, record.backend, *times, record.failure, record.row, record.rows)
        )

    async def _arrived(self, at: str) -> None:
        await self._until(lambda: self._turnstile.at == at, f"the stream waited for its {at}")

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        """Let the stream run until it is where it was."""
        assert self._task
        for _ in range(TURNS):
            if condition():
                return
            if self._stream.failure and self._stream.failure != self._source.failure:
                raise DivergedError(self._stream.failure)
            await asyncio.sleep(0)
        raise DivergedError(f"here {what}, and now it does not")

    def pairs(self) -> Iterator[Pair]:
        """Events that are known from both sides and were not given yet."""
        while self._paired < min(self._said, len(self._outlet.made)):
            yield Pair(self._outlet.recorded[self._paired], self._outlet.made[self._paired])
            self._paired += 1

    def rest(self) -> Iterator[Pair]:
        """Events of the replay alone; where a recording breaks off, it may be a little ahead."""
        if self._take.whole:
            yield from (Pair(None, made) for made in self._outlet.made[self._paired :])

    async def close(self) -> None:
        """End the stream where it is."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._scheduler.close()


def _recognize(backend: Backend, window: Window, row: int, rows: int) -> Emission:
    """As in a batch of that many: the arithmetic of a row depends on how many there are, not on what they hold."""
    return recognize(backend, [window] * rows)[row]

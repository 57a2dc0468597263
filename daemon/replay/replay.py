"""Run a take through the daemon's own code again, with the recording's clock and in its order.

The stream, segmenter, VAD, recogniser and backend are the real ones. Decisions of the event loop, the scheduler and
the wall clock are taken from the tape: the stream waits wherever it waited, until the tape says that it continued.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import numpy as np

from asrd.backends import Backend
from asrd.core.flow import AudioChunk, Emission, Window
from asrd.core.units import Samples
from asrd.daemon.recognition.recognizer import recognize, silent
from asrd.daemon.recorder.records import Abandoned, Answered, AnyRecord, Captured, Ended, Queued, Said, Used
from asrd.daemon.replay import environment
from asrd.daemon.replay.detector import DivergedError, RecordedVad
from asrd.daemon.replay.gated import GatedScheduler, GatedSource, RecordedOutlet, Turnstile
from asrd.daemon.replay.takes import Take
from asrd.daemon.scheduling.queue import Result
from asrd.daemon.stream.observer import Tape
from asrd.daemon.stream.stream import make_stream
from asrd.daemon.vad import create
from asrd.models import ModelDirectory

TURNS = 1000
"""Turns of the event loop that a stream may take to reach its recorded place; nothing here waits for anything else."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An event: its payload as recorded, and as made now; None if there was none."""

    recorded: bytes | None
    made: bytes | None

    @property
    def same(self) -> bool:
        """True if both are equal, to the bit."""
        return self.recorded == self.made


class Player:
    """Replay takes one after the other. backend: returns the loaded backend of a name."""

    def __init__(self, model: ModelDirectory, backend: Callable[[str], Backend]) -> None:
        self._model = model
        self._backend = backend
        self._vad: RecordedVad | None = None

    def play(self, take: Take, tape: Tape | None = None) -> Iterator[Pair]:
        """Yield every event of the take's stream, in order, as soon as it is known.

        tape: receives what happens, as the daemon's did. Raises DivergedError if the replay cannot continue as the
        recording did; AsrdError if the backend cannot be loaded.
        """
        real = create(environment.options(take.begin).vad)
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
        options = environment.options(take.begin)
        self._take = take
        self._model = model
        self._backend = backend
        self._turnstile = Turnstile()
        self._source = GatedSource(take.begin.stream, self._turnstile, live=take.begin.live)
        self._scheduler = GatedScheduler(self._turnstile)
        self._outlet = RecordedOutlet([record.payload for record in take.records if isinstance(record, Said)], tape)
        self._boosts: dict[str, float] = {}
        self._stream = make_stream(
            self._source, options, self._scheduler, self._outlet, model, hot=lambda: self._boosts, tape=tape, vad=vad
        )
        self._queue = self._scheduler.queues[0]
        if take.begin.state:
            self._stream.resume(take.begin.state)
        self._paired = self._said = 0
        self._task: asyncio.Task[None] | None = None

    async def steps(self) -> AsyncIterator[AnyRecord]:
        """Do what each record says, and yield the record."""
        self._task = asyncio.create_task(self._stream.run())
        for record in self._take.records:
            await self._step(record)
            yield record

    async def _step(self, record: AnyRecord) -> None:
        match record:
            case Captured():
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
                self._stream.use(record.settings.restored())
            case Said():
                self._said += 1
                await self._until(lambda: len(self._outlet.made) >= self._said, "an event was published")
            case Ended():
                await self._arrived("source")
                self._source.failure = record.failure
                self._turnstile.go(None)
            case Abandoned():
                assert self._task
                await self._until(self._waits, "the stream waited, or had ended")
                self._task.cancel()
                self._scheduler.name = record.backend
                await self._stream.abandon(record.now)

    async def _answer(self, record: Answered) -> None:
        window = self._scheduler.windows[record.window]
        self._scheduler.windows = {n: w for n, w in self._scheduler.windows.items() if n > record.window}
        self._scheduler.name = record.backend
        if record.failure:
            emission = silent(window, self._model)
        else:
            emission = _recognize(self._backend(record.backend), window, record.row, record.rows)
        times = (record.cut, record.started, record.recognized)
        self._boosts = record.boosts
        await self._queue.deliver(
            Result(window, emission, record.backend, *times, record.failure, record.row, record.rows)
        )

    async def _arrived(self, at: str) -> None:
        await self._until(lambda: self._turnstile.at == at, f"the stream waited for its {at}")

    def _waits(self) -> bool:
        return bool(self._turnstile.at or (self._task and self._task.done()))

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        """Let the stream run until a condition holds. Raises DivergedError if it never does."""
        assert self._task
        for _ in range(TURNS):
            if condition():
                return
            if self._stream.failure and self._stream.failure != self._source.failure:
                raise DivergedError(self._stream.failure)
            await asyncio.sleep(0)
        raise DivergedError(f"here {what}, and now it does not")

    def pairs(self) -> Iterator[Pair]:
        """Yield new events known from both sides."""
        while self._paired < min(self._said, len(self._outlet.made)):
            yield Pair(self._outlet.recorded[self._paired], self._outlet.made[self._paired])
            self._paired += 1

    def rest(self) -> Iterator[Pair]:
        """Yield the events that only the replay has; none if the recording breaks off, because the replay may then be
        a little ahead.
        """
        if self._take.whole:
            yield from (Pair(None, made) for made in self._outlet.made[self._paired :])

    async def close(self) -> None:
        """End the stream where it is."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._scheduler.close()


def _recognize(backend: Backend, window: Window, row: int, rows: int) -> Emission:
    """Recognise a window as in a batch of `rows`: the arithmetic of a row depends on the number of rows, not on their
    contents.
    """
    return recognize(backend, [window] * rows)[row]

"""Streams to which anything happens, as a seed decides, and their recordings."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import numpy as np

from asrd.backends import Backend, LoadOptions
from asrd.core import events
from asrd.core.errors import AsrdError
from asrd.core.events import DAEMON_STREAM, Event
from asrd.core.flow import AudioChunk, FloatArray, Window
from asrd.core.units import Samples
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.recognizer import recognize, silent
from asrd.daemon.recorder import tape
from asrd.daemon.recorder.form import RecordedOptions
from asrd.daemon.recorder.records import Begin
from asrd.daemon.recorder.ring import Ring
from asrd.daemon.replay.takes import Take, takes
from asrd.daemon.scheduling.queue import Result, WindowQueue
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.sources.base import Source
from asrd.daemon.stream.state import StreamState
from asrd.models import ModelDirectory


class Toy(Backend):
    """Answers at once: derives letters from loudness."""

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> "Toy":
        return cls(model)

    @property
    def arithmetic(self) -> str:
        return "f32"

    def infer(self, batch: FloatArray) -> FloatArray:
        stride, frames = self.model.geometry.stride, self.model.geometry.frames(batch.shape[1])
        loud = np.abs(batch[:, : frames * stride]).reshape(len(batch), frames, stride).mean(axis=2)
        labels = (loud * 40).astype(int) % len(self.model.vocabulary)
        return np.eye(len(self.model.vocabulary), dtype=np.float32)[labels] * 5


class Chunks(Source):
    """Yields speech-like sound and silence in chunks of any size, with gaps and interruptions."""

    def __init__(self, sound: FloatArray, chance: random.Random) -> None:
        super().__init__("a")
        self.live = chance.random() < 0.5
        self._sound = sound
        self._chance = chance

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        position = 0
        for _ in range(self._chance.randrange(2, 12)):
            size, event = self._chance.randrange(1, 30_000), self._chance.random()
            lost = self._chance.randrange(1, 9000) if event < 0.2 else 0
            reason = "lost" if lost else "unplugged" if event < 0.3 else ""
            begin = self._chance.randrange(len(self._sound) - size)
            yield AudioChunk(
                Samples(position + lost),
                self._sound[begin : begin + size],
                self._chance.random(),
                Samples(lost),
                reason,
            )
            position += lost + size
            await asyncio.sleep(0)
        if self._chance.random() < 0.2:
            raise AsrdError("it broke")


class Chance(Scheduler):
    """Lets windows wait, skips, fails or answers them at random."""

    def __init__(self, backend: Backend, chance: random.Random) -> None:
        super().__init__("toy", backend)
        self._chance = chance
        self._waiting: list[Window] = []

    async def submit(self, queue: WindowQueue, window: Window, *, settle: bool = False) -> None:
        if not window.provisional or self._chance.random() < 0.6:
            self._waiting.append(window)
            queue.running = True
        while self._waiting and (settle or self._chance.random() < 0.5):
            await self.answer(queue)

    async def answer(self, queue: WindowQueue) -> None:
        window = self._waiting.pop(0)
        failure = "out of luck" if self._chance.random() < 0.1 else ""
        emission = silent(window, self.backend.model) if failure else recognize(self.backend, [window])[0]
        times = [self._chance.random() for _ in range(3)]
        await queue.deliver(Result(window, emission, "toy", *times, failure))
        queue.running = bool(self._waiting)

    async def finish(self, queue: WindowQueue) -> None:
        while self._waiting:
            await self.answer(queue)


class Outlet:
    """Acts as a publisher without sockets."""

    def __init__(self, record: tape.RecordingTape, chance: random.Random) -> None:
        self._record = record
        self._chance = chance
        self._seq = 0

    async def publish(self, event: Event, stream: str = DAEMON_STREAM) -> None:
        stamped = msgspec.structs.replace(event, seq=self._seq, stream=stream, time=self._chance.random())
        self._seq += 1
        self._record.said(events.encode(stamped))


def opening(source: Source, options: RecognitionOptions, model: ModelDirectory) -> Callable[..., Begin]:
    """Return the function that opens a file of a recording."""
    recorded, path = RecordedOptions.of(options), str(model.path)

    def begin(index: int, rest: bool, state: StreamState | None) -> Begin:
        return Begin("1", "d0", "a", source.live, index, 1e9 + index, rest, state, recorded, path, {}, {})

    return begin


def written(record: tape.RecordingTape, directory: Path) -> list[Take]:
    """Return what a tape has collected, as read back from a directory."""
    ring = Ring(directory, 1 << 30, 0)
    ring.write({"a": record.take()})
    ring.close()
    return list(takes(directory))

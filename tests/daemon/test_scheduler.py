"""Fairness, bounds and order of the scheduler, with a backend that is slow on command."""

import asyncio
import gc
import threading
import time
import weakref
from typing import Self

import numpy as np
import pytest

from asrd.backends import Backend, LoadOptions, load
from asrd.core.errors import BackendError
from asrd.core.events import Event
from asrd.core.flow import FloatArray, Level, Window
from asrd.core.units import Samples, samples
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.recognition.decoding.make import BeamDecoding
from asrd.daemon.scheduling import scheduler as module
from asrd.daemon.scheduling.queue import Result, WindowQueue
from asrd.daemon.scheduling.scheduler import RECENT, Scheduler
from asrd.daemon.sources.files import FileSource
from asrd.daemon.stream.stream import make_stream
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as speech


class GatedBackend(Backend):
    """Answers only while its gate is open, and remembers what it was asked."""

    def __init__(self, model: ModelDirectory, max_batch: int = 1) -> None:
        super().__init__(model)
        self.gate = threading.Event()
        self.closed = False
        self.asked, self.gone = threading.Event(), threading.Event()
        self.batches: list[int] = []
        type(self).max_batch = max_batch

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        return cls(model)

    @property
    def arithmetic(self) -> str:
        return "none"

    def infer(self, batch: FloatArray) -> FloatArray:
        assert not self.closed
        self.asked.set()
        assert self.gate.wait(10)
        self.batches.append(len(batch))
        frames = self.model.geometry.frames(batch.shape[1])
        return np.zeros((len(batch), frames, len(self.model.vocabulary)), np.float32)

    def close(self) -> None:
        self.closed = True
        self.gone.set()


class Unheard:
    """Where events go that nobody wants."""

    async def publish(self, event: Event, stream: str = "") -> None:
        pass


def window(number: int, *, provisional: bool = False, length: int = 16_000, time_left: float | None = None) -> Window:
    """time_left: seconds."""
    pcm = np.full(length, 0.1, np.float32)
    left = None if time_left is None else samples(time_left)
    return Window(number, Samples(0), pcm, Samples(0), Samples(0), Level(0.0, 1.0), provisional, time_left=left)


class Log:
    """Collects results by stream."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.results: list[tuple[str, Result]] = []
        self._scheduler = scheduler

    def queue(self, name: str, **options: float) -> WindowQueue:
        async def deliver(result: Result) -> None:
            self.results.append((name, result))

        return self._scheduler.queue(deliver, **options)  # type: ignore[arg-type]

    @property
    def order(self) -> list[tuple[str, int]]:
        return [(name, result.window.utterance) for name, result in self.results]


async def serve(scheduler: Scheduler) -> None:
    """Run it until nothing is left to do."""
    running = asyncio.create_task(scheduler.run())
    async with asyncio.timeout(10):
        await scheduler.drain()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    scheduler.close()


async def test_the_oldest_deadline_goes_first_and_streams_keep_their_order(bundled: ModelDirectory) -> None:
    backend = GatedBackend(bundled)
    backend.gate.set()
    scheduler = Scheduler("gated", backend)
    log = Log(scheduler)
    file, live = log.queue("file", max_wait=2.0), log.queue("live", max_wait=0.3)
    for number in range(3):
        await scheduler.submit(file, window(number))
    await scheduler.submit(live, window(0))
    await scheduler.submit(live, window(1))
    await serve(scheduler)
    assert log.order == [("live", 0), ("live", 1), ("file", 0), ("file", 1), ("file", 2)]


async def test_a_busy_stream_does_not_starve_another(bundled: ModelDirectory) -> None:
    """With equal max_wait the order is that of arrival, whoever sends more."""
    backend = GatedBackend(bundled)
    backend.gate.set()
    scheduler = Scheduler("gated", backend)
    log = Log(scheduler)
    busy, calm = log.queue("busy"), log.queue("calm")
    for number in range(4):
        await scheduler.submit(busy, window(number))
    await scheduler.submit(calm, window(0))
    await scheduler.submit(busy, window(4))
    await serve(scheduler)
    assert log.order.index(("calm", 0)) == 4


async def test_a_full_lane_makes_its_stream_wait(bundled: ModelDirectory) -> None:
    backend = GatedBackend(bundled)
    scheduler = Scheduler("gated", backend)
    log = Log(scheduler)
    queue = log.queue("a", bound=2)
    for number in range(2):
        await scheduler.submit(queue, window(number))
    waiting = asyncio.create_task(scheduler.submit(queue, window(2)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert len(queue.waiting) == 2
    backend.gate.set()
    running = asyncio.create_task(serve(scheduler))
    await waiting
    await running
    assert log.order == [("a", 0), ("a", 1), ("a", 2)]


async def test_previews_are_left_out_when_behind_and_committed_windows_never(bundled: ModelDirectory) -> None:
    backend = GatedBackend(bundled)
    scheduler = Scheduler("gated", backend)
    log = Log(scheduler)
    queue = log.queue("a")
    await scheduler.submit(queue, window(0, provisional=True))
    await scheduler.submit(queue, window(1, provisional=True))  # replaces the one before
    await scheduler.submit(queue, window(2))  # makes it needless
    await scheduler.submit(queue, window(3, provisional=True))  # would wait behind
    await scheduler.submit(queue, window(4))
    backend.gate.set()
    await serve(scheduler)
    assert log.order == [("a", 2), ("a", 4)]
    assert queue.skipped == 3


async def test_whoever_waits_for_an_answer_gets_it_also_behind_another_window(bundled: ModelDirectory) -> None:
    """A file's next probe may come before the last window of the utterance before was taken."""
    backend = GatedBackend(bundled)
    backend.gate.set()
    scheduler = Scheduler("gated", backend)
    log = Log(scheduler)
    queue = log.queue("a")
    await scheduler.submit(queue, window(0))
    probe = asyncio.create_task(scheduler.submit(queue, window(1, provisional=True), settle=True))
    await asyncio.sleep(0)
    await serve(scheduler)
    await probe
    assert log.order == [("a", 0), ("a", 1)]


class TimedBackend(GatedBackend):
    """Takes as long as it is told, by a clock that nothing else moves."""

    def __init__(self, model: ModelDirectory) -> None:
        super().__init__(model)
        self.gate.set()
        self.now = self.takes = 0.0

    def infer(self, batch: FloatArray) -> FloatArray:
        self.now += self.takes
        return super().infer(batch)


async def test_in_a_pause_nothing_is_begun_that_the_final_window_would_have_to_wait_for(
    bundled: ModelDirectory,
) -> None:
    """Told by how long windows took of late; a file's speech does not go on meanwhile."""
    pause = window(1, provisional=True, time_left=0.4)
    backend = TimedBackend(bundled)
    scheduler = Scheduler("timed", backend, clock=lambda: backend.now)
    log = Log(scheduler)
    live, file = log.queue("live", live=True), log.queue("file")
    serving = asyncio.create_task(scheduler.run())

    async def hear(queue: WindowQueue, one: Window, takes: float) -> None:
        backend.takes = takes
        await scheduler.submit(queue, one, settle=True)

    await hear(live, pause, 0.3)
    await hear(live, pause, 0.5)  # which nobody could know
    assert live.skipped == 0
    await hear(live, pause, 0.3)
    await hear(live, window(2, provisional=True, time_left=0.6), 0.3)
    await hear(live, window(3, provisional=True), 0.3)
    await hear(file, pause, 0.3)
    assert live.skipped == 1
    assert log.order == [("live", 1), ("live", 1), ("live", 2), ("live", 3), ("file", 1)]
    for _ in range(RECENT):
        await hear(live, window(4), 0.3)
    await hear(live, pause, 0.3)
    assert log.order[-1] == ("live", 1)
    assert live.skipped == 1
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    scheduler.close()


async def test_time_spent_is_not_told_by_a_clock_that_may_be_set(
    bundled: ModelDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = TimedBackend(bundled)
    backend.takes = 0.5
    scheduler = Scheduler("timed", backend, clock=lambda: backend.now)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 1e9 - 3600 * backend.now)
        await scheduler.submit(Log(scheduler).queue("a"), window(0))
        await serve(scheduler)
    assert scheduler.inference_seconds == 0.5


async def test_a_preview_that_had_to_wait_too_long_is_left_out(bundled: ModelDirectory) -> None:
    backend = TimedBackend(bundled)
    scheduler = Scheduler("timed", backend, clock=lambda: backend.now)
    log = Log(scheduler)
    queue, other = log.queue("a", live=True, max_wait=2.0), log.queue("b", live=True)
    backend.takes = 0.5
    await scheduler.submit(queue, window(0, provisional=True, time_left=0.4))
    await scheduler.submit(other, window(0, length=8_000))
    await serve(scheduler)
    assert log.order == [("b", 0)]
    assert queue.skipped == 1
    assert queue.idle


async def test_windows_of_equal_length_share_a_batch(bundled: ModelDirectory) -> None:
    backend = GatedBackend(bundled, max_batch=3)
    backend.gate.set()
    scheduler = Scheduler("gated", backend)
    log = Log(scheduler)
    for name, length in (("a", 16_000), ("b", 8_000), ("c", 16_000), ("d", 16_000), ("e", 16_000)):
        await scheduler.submit(log.queue(name), window(0, length=length))
    await serve(scheduler)
    assert backend.batches == [3, 1, 1]
    assert [name for name, _ in log.results] == ["a", "c", "d", "b", "e"]


async def test_a_backend_is_replaced_between_windows_and_closed_after_its_last(bundled: ModelDirectory) -> None:
    old, new = GatedBackend(bundled), GatedBackend(bundled)
    new.gate.set()
    scheduler = Scheduler("old", old)
    log = Log(scheduler)
    queue = log.queue("a")
    running = asyncio.create_task(scheduler.run())
    await scheduler.submit(queue, window(0))
    await scheduler.submit(queue, window(1))
    switching = asyncio.create_task(scheduler.use("new", new))
    await asyncio.sleep(0)
    assert not old.closed
    old.gate.set()
    await switching
    assert old.closed
    await scheduler.drain()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    scheduler.close()
    assert log.order == [("a", 0), ("a", 1)]
    assert log.results[-1][1].backend == "new"
    assert all(not result.failure for _, result in log.results)


@pytest.mark.parametrize("early", [True, False], ids=["before it is given up", "afterwards"])
async def test_a_backend_that_hangs_is_given_up_and_another_goes_on(
    bundled: ModelDirectory, monkeypatch: pytest.MonkeyPatch, *, early: bool
) -> None:
    """Its window is tried again, whether somebody has switched before that or does afterwards. The one that hangs is
    closed once it returns, by its thread.
    """
    monkeypatch.setattr(module, "MAX_WAIT", 0.5)
    old, new = GatedBackend(bundled), GatedBackend(bundled)
    new.gate.set()
    scheduler = Scheduler("old", old)
    log = Log(scheduler)
    queue = log.queue("a")
    running = asyncio.create_task(scheduler.run())
    for number in range(2):
        await scheduler.submit(queue, window(number))
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(old.asked.wait, 5)
        if not early:
            await scheduler.hangs.wait()
        await scheduler.use("new", new)
        await scheduler.drain()
    assert [(result.backend, result.failure) for _, result in log.results] == [("new", "")] * 2
    assert log.order == [("a", 0), ("a", 1)]
    assert not old.closed
    old.gate.set()
    assert await asyncio.to_thread(old.gone.wait, 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    scheduler.close()


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (RuntimeError("Exception from src/inference/src/cpp/core.cpp:117:\nno such device\n"), "no such device"),
        (OSError(28, "No space left on device", "/tmp/x"), "No space left on device: /tmp/x"),
        (ValueError(), "ValueError"),
    ],
)
async def test_a_backend_that_fails_is_told_by_what_happened(
    bundled: ModelDirectory, monkeypatch: pytest.MonkeyPatch, error: Exception, failure: str
) -> None:
    """Not by the line in which OpenVINO says where in its sources."""

    def fail(batch: FloatArray) -> FloatArray:
        raise error

    backend = GatedBackend(bundled)
    monkeypatch.setattr(backend, "logits", fail)
    scheduler = Scheduler("broken", backend)
    log = Log(scheduler)
    await scheduler.submit(log.queue("a"), window(0))
    await serve(scheduler)
    assert [result.failure for _, result in log.results] == [failure]


def test_a_stream_that_has_ended_leaves_neither_a_thread_nor_a_language_model(bundled: ModelDirectory) -> None:
    """Even if nobody closed its scheduler, whose backend may be in use elsewhere."""
    backend, others = load("fp16", bundled), set(threading.enumerate())

    async def scenario() -> tuple[int, "weakref.ref[object]"]:
        options, outlet = RecognitionOptions(backend="fp16"), Unheard()
        decoding = make_decoding(DecoderOptions("beam"), bundled)
        scheduler = Scheduler("fp16", backend)
        source = FileSource("a", speech("real")[0].audio, "fast")
        stream = make_stream(source, options, scheduler, outlet, bundled, decoding=decoding)
        serving = asyncio.create_task(scheduler.run())
        await source.open()
        await stream.run()
        await scheduler.drain()
        serving.cancel()
        assert isinstance(decoding, BeamDecoding)
        return stream.status.utterances, weakref.ref(decoding.search)

    utterances, search = asyncio.run(scenario())
    assert utterances
    gc.collect()
    for thread in set(threading.enumerate()) - others:
        thread.join(10)
        assert not thread.is_alive()
    assert search() is None


@pytest.mark.parametrize(("failures", "told"), [(0, 0), (1, 1), (2, 2)])
async def test_what_fails_is_tried_again_and_then_elsewhere(bundled: ModelDirectory, failures: int, told: int) -> None:
    """No window is lost, and their order stays."""
    broken, other, said = GatedBackend(bundled), GatedBackend(bundled), []
    broken.gate.set()
    other.gate.set()
    answer, left = broken.logits, iter(range(failures))

    def fail(batch: FloatArray) -> FloatArray:
        if next(left, None) is not None:
            raise BackendError("out of luck")
        return answer(batch)

    async def complain(message: str) -> None:
        said.append(message)

    async def rescue(failure: str) -> bool:
        said.append(failure)
        await scheduler.use("other", other)
        return True

    broken.logits = fail  # type: ignore[method-assign]
    scheduler = Scheduler("broken", broken)
    scheduler.complain, scheduler.rescue = complain, rescue
    log = Log(scheduler)
    queue = log.queue("a")
    windows = [window(number) for number in range(3)]
    for one in windows:
        await scheduler.submit(queue, one)
    await serve(scheduler)
    used = "other" if failures == 2 else "broken"
    assert [(result.window, result.backend, result.failure) for _, result in log.results] == [
        (one, used, "") for one in windows
    ]
    assert len(said) == told

"""A real daemon in the test's own process: real sockets, real OpenVINO, the bundled model."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asrd.clients import AsyncSubscriber, Control, Hole
from asrd.clients.sender import Sender
from asrd.core.events import AnyEvent, Stopped, WireWord
from asrd.core.flow import FloatArray, Word
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.server.daemon import Daemon
from asrd.daemon.server.options import DaemonOptions
from asrd.daemon.sources import sessions
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled as bundled_speech


class Harness:
    """One daemon with a stream "a" that is fed over ZeroMQ, and everything it published."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.audio, self.events, self.control_address = (f"ipc://{directory / name}" for name in ("a", "e", "c"))
        self.recognition = RecognitionOptions(backend="fp16")
        defaults = {"sources": (f"a=pcm:{self.audio}",), "pace": "fast", "events": (self.events,)}
        self.options = DaemonOptions(
            **{"recognition": self.recognition, "control": self.control_address, **defaults, **options}
        )
        self.seen: list[AnyEvent | Hole] = []
        self.control = Control(self.control_address, timeout=30)
        self._news = asyncio.Condition()

    async def until(self, condition: Callable[[AnyEvent | Hole], bool], start: int = 0) -> AnyEvent:
        """The first event after `start` that meets the condition, past ones included."""

        def found() -> list[Any]:
            return [item for item in self.seen[start:] if condition(item)]

        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(found)
        return found()[0]

    @asynccontextmanager
    async def sender(self) -> AsyncIterator[Callable[[FloatArray], Awaitable[None]]]:
        """A sender as another process would have it; it says that it ends when the block is left."""
        sender = Sender(self.audio, waits=True)
        await asyncio.to_thread(sender.__enter__)
        try:
            yield lambda pcm: asyncio.to_thread(sender.send, pcm)
            await asyncio.to_thread(sender.end)
        finally:
            await asyncio.to_thread(sender.__exit__, None, None, None)

    async def play(self, *pieces: FloatArray) -> None:
        """Send all of it."""
        async with self.sender() as send:
            for piece in pieces:
                await send(piece)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Daemon]:
        """The daemon serves, and what it publishes is collected; at the end it is stopped.

        A test's sender says nothing while the test waits for something else, such as a backend that is loading.
        On a busy machine that takes longer than a sender may be silent, and the daemon would end the utterance,
        as it should; so here a sender may be silent for longer.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sessions, "IDLE", 600.0)
            async with self._served() as daemon:
                yield daemon

    @asynccontextmanager
    async def _served(self) -> AsyncIterator[Daemon]:
        ready = asyncio.Event()
        daemon = Daemon(self.options, lambda _: ready.set())
        serving = asyncio.create_task(daemon.run())
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            waiting.cancel()
            await serving
        collecting = asyncio.create_task(self._collect())
        await self.until(lambda item: True)
        try:
            yield daemon
        finally:
            daemon.stop("the test has ended")
            await asyncio.wait_for(serving, 10)
            await asyncio.wait_for(collecting, 10)

    async def _collect(self) -> None:
        async with AsyncSubscriber(self.events, once=True) as subscriber:
            async for item in subscriber:
                async with self._news:
                    self.seen.append(item)
                    self._news.notify_all()
                if isinstance(item, Stopped):
                    return

    def of(self, kind: type[Any], stream: str = "a") -> list[Any]:
        """The events of one type."""
        return [item for item in self.seen if isinstance(item, kind) and item.stream == stream]


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


@pytest.fixture
def the_end() -> Iterator[threading.Event]:
    """Set when the test has ended: what is to hang until then waits for it."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(scope="session")
def sentences() -> list[FloatArray]:
    """Three real sentences, each followed by enough silence to end it."""
    clips = [utterance.audio for utterance in bundled_speech("real")[:3]]
    pause = np.zeros(16_000, np.float32)
    return [np.concatenate([*read_blocks(clip), pause]) for clip in clips]


def follow_each_other(words: Sequence[Word | WireWord], start: int, end: int) -> bool:
    """Whether words lie within their utterance, in order, none empty and none within another."""
    bounds = [start, *(bound for word in words for bound in (word.start, word.end)), end]
    return bounds == sorted(bounds) and all(word.start < word.end for word in words)


@contextmanager
def no_thread_is_left() -> Iterator[None]:
    """Be sure that what is done within leaves no thread behind that it started."""
    before = set(threading.enumerate())
    yield
    left = {thread for thread in threading.enumerate() if thread not in before and not thread.daemon}
    for thread in left:
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that is a coroutine leaves no thread behind, once its event loop is closed and before fixtures end."""
    with no_thread_is_left() if iscoroutinefunction(pyfuncitem.obj) else nullcontext():
        return (yield)


def drive(scenario: Coroutine[Any, Any, None]) -> None:
    """Run the scenario of a fixture that a whole module shares, as if it were a test."""
    with no_thread_is_left():
        asyncio.run(scenario)

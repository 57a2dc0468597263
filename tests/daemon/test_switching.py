"""Backends that hang while they are loaded or closed: nobody waits for them for ever, and the daemon goes on."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from asrd.backends import Backend, LoadOptions, load
from asrd.core.errors import AsrdError
from asrd.core.events import Error, Final
from asrd.core.flow import FloatArray
from asrd.daemon.scheduling import engine, scheduler
from asrd.models import ModelDirectory

from .conftest import Harness


class Slow:
    """Loads real backends; those of a name in `slow` hang, until `release`, as they are loaded.

    loading: one of them is. closed: one of them was. loaded: the latest of each name.
    """

    def __init__(self, *slow: str) -> None:
        self.slow = set(slow)
        self.loading, self.release, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.loaded: dict[str, Backend] = {}

    def load(self, name: str, model: ModelDirectory, options: LoadOptions) -> Backend:
        backend = load(name, model, options)
        if name in self.slow:
            backend.close = self.closed.set  # type: ignore[method-assign]
            self.loading.set()
            self.release.wait(30)
        self.loaded[name] = backend
        return backend


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    slow = Slow()
    monkeypatch.setattr(engine, "load", slow.load)
    yield slow
    slow.release.set()


async def test_a_backend_that_does_not_load_in_time_is_given_up_and_closed_when_it_comes(
    harness: Harness, sentences: list[FloatArray], backends: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOADING", 0.2)
    backends.slow.add("int8")
    async with harness.running() as daemon:
        with pytest.raises(AsrdError, match=r"backend int8 has not loaded within 0.2 s; fp16 stays"):
            await asyncio.to_thread(harness.control.use_backend, "int8")
        backends.release.set()
        assert await asyncio.to_thread(backends.closed.wait, 10)
        assert daemon.reporter.status().backend == "fp16"
        await harness.play(sentences[1])
        await harness.until(lambda item: isinstance(item, Final) and item.backend == "fp16")


async def test_one_backend_is_loaded_at_a_time(harness: Harness, backends: Slow) -> None:
    """Who asks for another meanwhile does not wait for it, and does not keep others from being answered."""
    backends.slow.add("int8")
    async with harness.running():
        first = asyncio.create_task(asyncio.to_thread(harness.control.use_backend, "int8"))
        assert await asyncio.to_thread(backends.loading.wait, 10)
        with pytest.raises(AsrdError, match="backend int8 is being loaded; ask again"):
            await asyncio.to_thread(harness.control.use_backend, "fp16")
        backends.release.set()
        assert await first == "fp16"
        assert await asyncio.to_thread(harness.control.use_backend, "fp16") == "int8"


async def test_where_loading_anew_hangs_too_another_backend_replaces_it(
    harness: Harness,
    sentences: list[FloatArray],
    backends: Slow,
    the_end: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler, "MAX_WAIT", 0.5)
    monkeypatch.setattr(scheduler, "TIMES", 1)
    async with harness.running() as daemon:
        monkeypatch.setattr(engine, "LOADING", 0.2)
        monkeypatch.setattr(backends.loaded["fp16"], "infer", lambda _: the_end.wait(30))
        backends.slow.add("fp16")
        await harness.play(sentences[1])
        why = "int8 replaces it until 'asrd backend use fp16': reloading it hangs, too"
        await harness.until(lambda item: isinstance(item, Error) and item.message == f"backend fp16 hangs; {why}")
        await harness.until(lambda item: isinstance(item, Final) and item.backend == "int8")
        backends.release.set()
        assert await asyncio.to_thread(backends.closed.wait, 10)
        assert daemon.reporter.status().backend == "int8"


async def test_a_backend_that_does_not_close_does_not_hold_up_who_asked_for_another(
    harness: Harness, backends: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CLOSING", 0.1)
    hanging, closed = threading.Event(), threading.Event()

    def close() -> None:
        hanging.wait(10)
        closed.set()

    async with harness.running():
        monkeypatch.setattr(backends.loaded["fp16"], "close", close)
        try:
            assert await asyncio.to_thread(harness.control.use_backend, "int8") == "fp16"
            assert not closed.is_set()
        finally:
            hanging.set()

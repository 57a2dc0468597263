"""A daemon stops within what it promises, whatever it waits for, and says nothing afterwards."""

import asyncio
import threading
import time
from pathlib import Path

import msgspec
import pytest
import zmq
import zmq.asyncio

from asrd.backends import Backend, LoadOptions
from asrd.core import control, events
from asrd.core.events import Error, Stopped
from asrd.daemon.scheduling import engine
from asrd.daemon.server import daemon as service
from asrd.daemon.server.daemon import Daemon
from asrd.models import ModelDirectory

from .conftest import Harness


async def started(harness: Harness) -> tuple[Daemon, "asyncio.Task[None]"]:
    ready = asyncio.Event()
    daemon = Daemon(harness.options, lambda _: ready.set())
    running = asyncio.create_task(daemon.run())
    await ready.wait()
    return daemon, running


async def last(daemon: Daemon) -> events.AnyEvent:
    return events.decode(bytes((await daemon.publisher.history.replay(0, 1 << 62))[-1]))


async def test_what_it_waits_for_is_not_added_up(
    harness: Harness, the_end: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that does not close, a backend that is loading, and a subscriber that does not read."""
    monkeypatch.setattr(service, "SHUTDOWN", 0.2)
    loading, load = threading.Event(), engine.load

    def hang(name: str, model: ModelDirectory, options: LoadOptions) -> Backend:
        if name == "int8":
            loading.set()
            the_end.wait(30)
        return load(name, model, options)

    monkeypatch.setattr(engine, "load", hang)
    daemon, running = await started(harness)
    with zmq.asyncio.Context() as context:
        deaf, asking = context.socket(zmq.SUB), context.socket(zmq.DEALER)
        deaf.set(zmq.RCVHWM, 1)
        deaf.set(zmq.RCVBUF, 4096)
        deaf.set(zmq.SUBSCRIBE, b"")
        deaf.connect(harness.events)
        await deaf.poll()
        for _ in range(3000):
            await daemon.publisher.publish(Error(message="x" * 2000))
        asking.connect(harness.control_address)
        await asking.send(msgspec.json.encode(control.UseBackend("int8")))
        await asyncio.to_thread(loading.wait, 10)
        really_close = daemon.streams[0].source.close
        monkeypatch.setattr(daemon.streams[0].source, "close", asyncio.Event().wait)
        began = time.monotonic()
        daemon.stop("the test")
        await running
        took = time.monotonic() - began
        await really_close()
        deaf.close(linger=0)
        asking.close(linger=0)
    assert took < 0.2 + service.LAST + 0.5
    assert not daemon.streams[0].status.open


async def test_sources_are_closed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may take as long as a sound system that hangs."""
    harness = Harness(tmp_path, sources=tuple(f"{name}=pcm:ipc://{tmp_path / name}" for name in "xyz"))
    daemon, running = await started(harness)
    together, closed = asyncio.Barrier(3), 0
    for stream in daemon.streams:

        async def close(really: object = stream.source.close) -> None:
            nonlocal closed
            await together.wait()
            await really()  # type: ignore[operator]
            closed += 1

        monkeypatch.setattr(stream.source, "close", close)
    daemon.stop("the test")
    await asyncio.wait_for(running, 3)
    assert closed == 3


async def test_nothing_is_said_after_the_last_event(harness: Harness) -> None:
    daemon, running = await started(harness)
    daemon.stop("the test")
    await running
    await daemon.publisher.publish(Error(message="too late"))
    assert isinstance(await last(daemon), Stopped)


async def test_how_long_it_runs_is_not_told_by_a_clock_that_may_be_set(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, running = await started(harness)
    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() - 3600)
        uptime = daemon.reporter.status().uptime
    assert 0 <= uptime < 60
    daemon.stop("the test")
    await running

"""Requests over a real socket get valid answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq
import zmq.asyncio

from asrd.clients import Control
from asrd.core.control import AnyRequest, GetStatus, Replay, Stop, UseBackend
from asrd.core.events import Error
from asrd.daemon.server import control as controller_module
from asrd.daemon.server import history as history_module
from asrd.daemon.server.control import UNREAD, Answer, Controller
from asrd.daemon.server.publisher import Publisher


@asynccontextmanager
async def serving(context: zmq.asyncio.Context, address: str, answer: Answer) -> AsyncIterator[None]:
    controller = Controller(context, address)
    running = asyncio.create_task(controller.run(answer))
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await controller.close(1.0)


@pytest.mark.parametrize("room", [1, 10_000, history_module.REPLAYED_BYTES])
def test_past_events_come_in_as_many_answers_as_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(history_module, "REPLAYED_BYTES", room)
    sizes = []

    async def scenario() -> None:
        context = zmq.asyncio.Context()
        publisher = Publisher(context, [f"ipc://{tmp_path}/e"])

        async def answer(request: AnyRequest) -> Any:
            assert isinstance(request, Replay)
            events = await publisher.answer(request)
            sizes.append(sum(len(bytes(event)) for event in events[1:]))  # one comes, whatever its length
            return events

        async with serving(context, f"ipc://{tmp_path}/c", answer):
            for _ in range(20):
                await publisher.publish(Error(message="x" * 3_000))
            control = Control(f"ipc://{tmp_path}/c")
            past = await asyncio.to_thread(control.replay, 3, 10**9)
            assert [event.seq for event in past] == list(range(3, 20))
            assert [event.seq for event in await asyncio.to_thread(control.replay, 3, 9)] == list(range(3, 10))
            assert await asyncio.to_thread(control.replay, 30, 40) == []
        publisher.close()
        context.destroy(linger=0)

    asyncio.run(scenario())
    assert max(sizes) <= room


def test_who_asks_without_reading_does_not_fill_the_memory(tmp_path: Path) -> None:
    """More is answered than any queue holds; what was kept can be read, and the next request is answered."""
    asked, answered, size = 4 * UNREAD, 0, 1 << 20
    all_answered = asyncio.Event()

    async def answer(request: AnyRequest) -> Any:
        nonlocal answered
        answered += 1
        if answered == asked:
            all_answered.set()
        return "x" * size if isinstance(request, GetStatus) else "well"

    async def scenario() -> None:
        context = zmq.asyncio.Context()
        async with serving(context, f"ipc://{tmp_path}/c", answer):
            with context.socket(zmq.DEALER) as asking:
                asking.set(zmq.RCVHWM, 1)
                asking.connect(f"ipc://{tmp_path}/c")
                for _ in range(asked):
                    await asking.send(msgspec.json.encode(GetStatus()))
                await all_answered.wait()
                kept = 0
                while await asking.poll(200):
                    kept += len(await asking.recv()) > size
                assert UNREAD <= kept <= 2 * UNREAD
                await asking.send(msgspec.json.encode(Stop()))
                assert b"well" in await asking.recv()
        context.destroy(linger=0)

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_many_requests_leave_others_their_turn(tmp_path: Path) -> None:
    """All requests arrive at once, and at most one is answered per turn of the loop."""
    asked, answered, in_this_turn, most = 4 * UNREAD, 0, 0, 0

    async def answer(request: AnyRequest) -> Any:
        nonlocal answered, in_this_turn, most
        answered, in_this_turn = answered + 1, in_this_turn + 1
        most = max(most, in_this_turn)

    async def scenario() -> None:
        nonlocal in_this_turn
        context = zmq.asyncio.Context()
        async with serving(context, f"ipc://{tmp_path}/c", answer):
            with zmq.Context() as another, another.socket(zmq.DEALER) as asking:
                asking.set(zmq.LINGER, 0)
                asking.connect(f"ipc://{tmp_path}/c")
                for _ in range(asked):
                    asking.send(msgspec.json.encode(GetStatus()))
                while answered < asked:
                    in_this_turn = 0
                    await asyncio.sleep(0)
        context.destroy(linger=0)

    asyncio.run(asyncio.wait_for(scenario(), 20))
    assert most == 1


def test_requests_that_take_long_are_bounded_in_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = 4
    monkeypatch.setattr(controller_module, "BUSY", busy)
    release = asyncio.Event()

    async def answer(request: AnyRequest) -> Any:
        if isinstance(request, UseBackend):
            await release.wait()

    async def scenario() -> None:
        context = zmq.asyncio.Context()
        async with serving(context, f"ipc://{tmp_path}/c", answer):
            with context.socket(zmq.DEALER) as asking:
                asking.connect(f"ipc://{tmp_path}/c")
                for _ in range(busy + 3):
                    await asking.send(msgspec.json.encode(UseBackend("x")))
                for _ in range(3):
                    assert b"ask again in a moment" in await asking.recv()
                release.set()
                for _ in range(busy):
                    assert b'"error":""' in await asking.recv()
                await asking.send(msgspec.json.encode(GetStatus()))
                assert b'"error":""' in await asking.recv()
        context.destroy(linger=0)

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_who_asks_faster_than_is_read_has_to_wait(tmp_path: Path) -> None:
    context = zmq.asyncio.Context()
    controller = Controller(context, f"ipc://{tmp_path}/c")
    with zmq.Context() as another, another.socket(zmq.DEALER) as asking:
        asking.set(zmq.LINGER, 0)
        asking.set(zmq.SNDHWM, 1)
        asking.connect(f"ipc://{tmp_path}/c")
        sent = 0
        while asking.poll(200, zmq.POLLOUT) and sent < 10 * UNREAD:
            asking.send(b"x" * 60_000, zmq.NOBLOCK)
            sent += 1
    asyncio.run(controller.close(0.0))
    context.destroy(linger=0)
    assert sent < 3 * UNREAD

"""Requests over a real socket: what their answers may hold."""

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
from asrd.core.control import AnyRequest, GetStatus, Replay, Stop
from asrd.core.events import Error
from asrd.daemon import publisher as publisher_module
from asrd.daemon.controller import UNREAD, Answer, Controller
from asrd.daemon.publisher import Publisher


@asynccontextmanager
async def serving(context: zmq.asyncio.Context, endpoint: str, answer: Answer) -> AsyncIterator[None]:
    controller = Controller(context, endpoint)
    running = asyncio.create_task(controller.run(answer))
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await controller.close(1.0)


@pytest.mark.parametrize("room", [1, 10_000, publisher_module.REPLAYED_BYTES])
def test_past_events_come_in_as_many_answers_as_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(publisher_module, "REPLAYED_BYTES", room)
    sizes = []

    async def scenario() -> None:
        context = zmq.asyncio.Context()
        publisher = Publisher(context, [f"ipc://{tmp_path}/e"])

        async def answer(request: AnyRequest) -> Any:
            assert isinstance(request, Replay)
            events = publisher.replay(request.first, request.last)
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

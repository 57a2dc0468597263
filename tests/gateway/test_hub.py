"""Connections get the events of their streams, in order and without holes, or are told that they do not."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.events import Heartbeat, Started
from asrd.gateway.errors import LaggingError
from asrd.gateway.hub import MOST, Hub


def event(number, stream="a"):
    return Started(utterance=number, start=0, stream=stream)


async def taken(inbox):
    return [one async for one in inbox]


@given(st.lists(st.sampled_from("abc"), max_size=50))
def test_each_inbox_gets_its_stream_and_some_get_all(streams):
    async def run():
        hub = Hub()
        inboxes = {stream: hub.enter(stream) for stream in ("a", "b", None)}
        events = [event(number, stream) for number, stream in enumerate(streams)]
        for one in events:
            hub.tell(one)
        for stream, inbox in inboxes.items():
            hub.leave(inbox)
            assert await taken(inbox) == [one for one in events if stream in (None, one.stream)]

    asyncio.run(run())


async def test_who_does_not_read_is_told_so_once_and_gets_nothing_thinned():
    hub, told = Hub(), []
    slow, fast = hub.enter("a", lambda: told.append("slow")), hub.enter("a")
    reading = asyncio.create_task(taken(fast))
    for number in range(MOST + 2):
        hub.tell(event(number))
        await asyncio.sleep(0)
    assert told == ["slow"]
    with pytest.raises(LaggingError, match=f"more than {MOST} events"):
        await taken(slow)
    hub.leave(fast)
    assert len(await reading) == MOST + 2


async def test_the_end_of_the_hub_ends_all():
    hub = Hub()
    before = [hub.enter("a"), hub.enter()]
    hub.tell(event(1))
    hub.close()
    assert [len(await taken(inbox)) for inbox in before] == [1, 1]
    assert await taken(hub.enter("b")) == []


async def test_who_has_left_gets_nothing():
    hub = Hub()
    inbox = hub.enter()
    hub.leave(inbox)
    hub.tell(Heartbeat(uptime=1))
    assert await taken(inbox) == []

"""What is said during a pause is not heard, and is no gap; positions go on."""

from collections.abc import AsyncIterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.flow import AudioChunk
from asrd.core.units import Samples
from asrd.daemon.stream.pause import PAUSED, Pause

STEP = 100


async def chunks(count: int, pause: Pause, switches: dict[int, bool]) -> AsyncIterator[AudioChunk]:
    """Yield chunks, and pause before some of them."""
    for index in range(count):
        if index in switches:
            pause.switch(on=switches[index])
        yield AudioChunk(Samples(index * STEP), np.full(STEP, index, np.float32), index * STEP / 16_000)


@given(st.integers(0, 12), st.dictionaries(st.integers(0, 11), st.booleans()))
async def test_nothing_said_in_a_pause_gets_through(count: int, switches: dict[int, bool]) -> None:
    pause, on, wanted = Pause(waits=False), False, []
    for index in range(count):
        on = switches.get(index, on)
        wanted += [] if on else [index]
    passed = [chunk async for chunk in pause.through(chunks(count, pause, switches))]
    assert [int(chunk.pcm[0]) for chunk in passed if len(chunk.pcm)] == wanted
    position = 0
    for chunk in passed:
        assert chunk.start - chunk.lost == position  # every sample is heard or in a pause
        assert bool(chunk.lost) <= (chunk.reason == PAUSED)
        position = chunk.start + len(chunk.pcm)
    begins = [chunk for chunk in passed if chunk.reason == PAUSED and not len(chunk.pcm)]
    ends = [chunk for chunk in passed if chunk.reason == PAUSED and len(chunk.pcm)]
    assert len(begins) - len(ends) == (on and count > 0)


async def test_a_sender_that_has_ended_does_not_end_a_pause_or_begin_one() -> None:
    """Its last chunk is empty, as the one that a pause begins with."""
    pause = Pause(waits=False)

    async def chunks() -> AsyncIterator[AudioChunk]:
        silence = np.zeros(STEP, np.float32)
        pause.switch(on=True)
        yield AudioChunk(Samples(0), silence, 0.0)
        pause.switch(on=False)
        yield AudioChunk(Samples(STEP), silence[:0], 0.0, reason="the sender has ended")
        yield AudioChunk(Samples(STEP), silence, 0.0)

    passed = [(len(chunk.pcm), chunk.lost, chunk.reason) async for chunk in pause.through(chunks())]
    assert passed == [(0, 0, PAUSED), (0, 0, "the sender has ended"), (STEP, STEP, PAUSED)]

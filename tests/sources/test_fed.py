"""What is fed comes out whole, in order and at 16 kHz, and whoever feeds too fast waits."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import AudioError
from asrd.daemon.sources.fed import BUFFER, FedSource
from asrd.daemon.sources.resample import Resampler, converted

RATE = 24_000


def noise(frames, channels=1):
    return np.random.default_rng(frames).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


async def heard(source):
    return [chunk async for chunk in source.chunks()]


async def fed(source, *pieces):
    """Feed all pieces, and return the chunks that come out."""
    hearing = asyncio.create_task(heard(source))
    for piece in pieces:
        await source.feed(piece)
    source.end()
    async with asyncio.timeout(10):
        return await hearing


@given(cuts=st.lists(st.integers(0, 3 * RATE), max_size=6), channels=st.integers(1, 3))
def test_the_cuts_change_nothing(cuts, channels):
    pcm = noise(3 * RATE, channels)
    pieces = np.split(pcm, sorted(cuts))
    chunks = asyncio.run(fed(FedSource("s", RATE, channels, live=False), *pieces))
    whole = Resampler(RATE)
    assert np.array_equal(np.concatenate([chunk.pcm for chunk in chunks]), np.append(whole.push(pcm), whole.flush()))
    assert [chunk.start for chunk in chunks] == [0, *np.cumsum([len(chunk.pcm) for chunk in chunks])[:-1]]


def test_integers_are_of_full_scale():
    chunks = asyncio.run(fed(FedSource("s", 16_000, 1, live=True), np.array([-32768, 16384], np.int16)))
    assert np.concatenate([chunk.pcm for chunk in chunks]).tolist() == [-1, 0.5]


async def test_a_feeder_waits_while_the_buffer_is_full():
    source = FedSource("s", 16_000, 1, live=True)
    feeding = asyncio.create_task(source.feed(noise(10 * 16_000)))
    chunks, count = source.chunks(), 0
    for _ in range(100):  # it gets every chance to run ahead
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while count < 10 * 16_000:
            count += len((await anext(chunks)).pcm)
            assert feeding.done() or source._held <= BUFFER * 16_000
    await feeding


async def test_what_is_missing_is_told_with_the_next_audio_or_at_the_end():
    source = FedSource("s", 48_000, 1, live=False)
    source.lose(4_800, "lost on the way")
    hearing = asyncio.create_task(heard(source))
    await source.feed(noise(48_000))
    source.lose(480, "lost at the end")
    source.end()
    chunks = await hearing
    assert (chunks[0].lost, chunks[0].reason) == (converted(4_800, 48_000), "lost on the way")
    assert (chunks[-1].lost, chunks[-1].reason) == (converted(480, 48_000), "lost at the end")


async def test_closing_turns_a_waiting_feeder_away_and_keeps_what_was_fed():
    source = FedSource("s", 16_000, 1, live=False)
    await source.feed(noise(16_000))
    feeding = asyncio.create_task(source.feed(noise(5 * 16_000)))
    await asyncio.sleep(0)
    await source.close()
    with pytest.raises(AudioError, match="has ended"):
        await feeding
    assert sum(len(chunk.pcm) for chunk in await heard(source)) >= 16_000


async def test_what_cannot_be_audio_is_refused():
    source = FedSource("s", 16_000, 2, live=False)
    with pytest.raises(AudioError, match=r"2 channel\(s\), not 1"):
        await source.feed(noise(10))
    with pytest.raises(AudioError, match="sample 3 is not a number"):
        await source.feed(np.array([[0, 0]] * 3 + [[0, np.nan]], np.float32))
    with pytest.raises(AudioError, match="sample rate"):
        FedSource("s", 5, 1, live=False)

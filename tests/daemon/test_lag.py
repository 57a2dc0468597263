"""How late audio is heard, and what is too late."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.flow import AudioChunk
from asrd.core.units import Samples
from asrd.daemon.stream.lag import FRESH, Lag

PART, LENGTH, BEGAN = 1600, 0.1, 1e9


def run(
    costs: Sequence[float],
    most: float = 30.0,
    *,
    skew: float = 0.0,
    patient: bool = False,
    block: int = 1,
    speed: float = 1.0,
) -> list[tuple[AudioChunk, float]]:
    """Let chunks of speech through, each of which takes so many seconds to be heard; return each with its lag.

    skew: how much the capturing machine's clock is behind. block: chunks that are sent at a time. speed: how many times
    as fast as it was spoken the audio is sent; it is then dated as if it were captured when it is sent.
    """
    now = BEGAN
    lag = Lag(lambda: patient, most, lambda: now)

    async def chunks() -> AsyncIterator[AudioChunk]:
        nonlocal now
        for number in range(len(costs)):
            sent = BEGAN + LENGTH * block * (number // block + 1) / speed
            captured = sent - LENGTH * (block - 1 - number % block)
            now = max(now, sent)
            yield AudioChunk(Samples(PART * number), np.zeros(PART, np.float32), captured - skew)

    async def collect() -> list[tuple[AudioChunk, float]]:
        nonlocal now
        found = []
        async for chunk in lag.through(chunks()):
            found.append((chunk, lag.seconds))
            now += costs[chunk.start // PART] if len(chunk.pcm) else 0.0
        return found

    return asyncio.run(collect())


def most_of(heard: Sequence[tuple[AudioChunk, float]]) -> float:
    return max(lag for _, lag in heard)


@pytest.mark.parametrize("skew", [0.0, 100.0, -100.0])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_what_is_heard_as_fast_as_it_is_spoken_is_not_late(skew: float, block: int) -> None:
    """Whatever the sender's clock says, and however much it sends at a time."""
    assert most_of(run([0.05] * 3000, skew=skew, block=block)) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("skew", [0.0, 100.0, -100.0])
def test_what_takes_longer_than_it_is_spoken_is_later_and_later(skew: float) -> None:
    lags = [lag for _, lag in run([0.05] * 10 + [0.2] * 30, skew=skew)]
    assert lags[9] == pytest.approx(0.0, abs=1e-3)
    assert lags[-1] == pytest.approx(2.9, abs=0.15)


def test_what_is_too_late_is_one_gap_until_audio_is_fresh() -> None:
    heard = run([0.05] * 5 + [4.0] + [0.05] * 60, 1.5)
    gaps = [chunk for chunk, _ in heard if chunk.lost]
    assert len(gaps) == 1
    assert gaps[0].reason == "the machine was behind"
    assert gaps[0].lost == pytest.approx(16_000 * (4.0 - FRESH), abs=2 * PART)
    assert most_of(heard) <= FRESH
    assert heard[-1][0].start + PART == 66 * PART


@pytest.mark.parametrize("block", [1, 100, 2000])
def test_a_recording_that_is_sent_at_once_is_never_late(block: int) -> None:
    """Nor is any of it lost, though nobody said that it may wait."""
    heard = run([0.01] * 6000, 30.0, speed=1000, block=block)
    assert not [chunk for chunk, _ in heard if chunk.lost]
    assert most_of(heard) < 1.0


def test_audio_of_a_patient_source_is_never_late() -> None:
    heard = run([5.0] * 20, 1.0, patient=True)
    assert most_of(heard) == 0.0
    assert not [chunk for chunk, _ in heard if chunk.lost]


@given(st.lists(st.floats(0.0, 5.0), max_size=60), st.floats(0.6, 3.0))
def test_every_sample_is_heard_or_lost_and_none_is_later_than_allowed(costs: list[float], most: float) -> None:
    heard = run(costs, most)
    position = 0
    for chunk, lag in heard:
        assert chunk.start == position + chunk.lost
        position = chunk.start + len(chunk.pcm)
        assert not len(chunk.pcm) or lag <= most + 1e-6
    assert position == PART * len(costs)

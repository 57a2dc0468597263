"""How late audio is heard, and what is too late."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.flow import AudioChunk
from asrd.core.units import Samples
from asrd.daemon.stream.lag import FRESH, Lag

PART = 1600


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


def run(
    delays: list[float], most: float, *, skew: float = 0.0, patient: bool = False
) -> list[tuple[AudioChunk, float]]:
    """Let chunks through that are taken so many seconds after they were captured; return each with its lag.

    skew: how much the capturing machine's clock is behind.
    """
    clock, began = Clock(), 1e9
    lag = Lag(lambda: patient, most, clock)

    async def chunks():
        for number, delay in enumerate(delays):
            captured = began + 0.1 * number
            clock.now = max(clock.now, captured + delay)
            yield AudioChunk(Samples(PART * number), np.zeros(PART, np.float32), captured - skew)

    async def collect():
        return [(chunk, lag.seconds) async for chunk in lag.through(chunks())]

    return asyncio.run(collect())


def test_what_is_on_time_is_not_touched() -> None:
    assert [lag for _, lag in run([0.05] * 50, 1.0)] == pytest.approx([0.0] * 50, abs=1e-3)


@pytest.mark.parametrize("skew", [0.0, 100.0, -100.0])
def test_lag_is_counted_from_what_is_usual_of_a_senders_clock(skew: float) -> None:
    lags = [lag for _, lag in run([0.0] * 10 + [3.0] * 10, 30.0, skew=skew)]
    assert lags[9] == pytest.approx(0.0, abs=1e-3)
    assert lags[-1] == pytest.approx(3.0, abs=0.01)


def test_what_is_too_late_is_one_gap_until_audio_is_fresh() -> None:
    heard = run([0.0] * 5 + [2.0] * 20 + [0.0] * 30, 1.5)
    gaps = [chunk for chunk, _ in heard if chunk.lost]
    assert len(gaps) == 1
    assert gaps[0].reason == "the machine was behind"
    assert max(lag for chunk, lag in heard) <= FRESH
    assert heard[-1][0].start + PART == 55 * PART


def test_audio_of_a_patient_source_is_never_late() -> None:
    heard = run([0.0, 50.0, 100.0], 1.0, patient=True)
    assert [lag for _, lag in heard] == [0.0, 0.0, 0.0]


@given(st.lists(st.floats(0.0, 5.0), max_size=60), st.floats(0.6, 3.0))
def test_every_sample_is_heard_or_lost_and_none_is_later_than_allowed(delays: list[float], most: float) -> None:
    heard = run(delays, most)
    position = 0
    for chunk, lag in heard:
        assert chunk.start == position + chunk.lost
        position = chunk.start + len(chunk.pcm)
        assert not len(chunk.pcm) or lag <= most + 1e-6
    assert position == PART * len(delays)

"""Seconds are for people, samples for everything else."""

from hypothesis import given
from hypothesis import strategies as st

from asrd.core.units import SAMPLE_RATE, samples, seconds


@given(st.integers(0, 10**12))
def test_a_position_survives_being_printed_in_seconds(position: int) -> None:
    assert samples(seconds(position)) == position


def test_one_second_is_the_sample_rate() -> None:
    assert samples(1.0) == SAMPLE_RATE
    assert seconds(SAMPLE_RATE // 2) == 0.5

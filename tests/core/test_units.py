"""Seconds are for people, samples for everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import UsageError
from asrd.core.units import SAMPLE_RATE, counted, samples, seconds


@given(st.integers(0, 10**12))
def test_a_position_survives_being_printed_in_seconds(position: int) -> None:
    assert samples(seconds(position)) == position


def test_one_second_is_the_sample_rate() -> None:
    assert samples(1.0) == SAMPLE_RATE
    assert seconds(SAMPLE_RATE // 2) == 0.5


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_of_seconds_is_refused(number: float) -> None:
    with pytest.raises(UsageError, match="not a number of seconds"):
        samples(number)


def test_one_thing_is_no_plural() -> None:
    assert [counted(number, "usable clips") for number in (0, 1, 2)] == [
        "0 usable clips",
        "1 usable clip",
        "2 usable clips",
    ]

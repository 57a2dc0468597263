"""The duration of a run is estimated before it starts."""

import pytest

from asrd.quant.estimate import Estimate


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (32.0, "this will take about 32 s and 1.0 GiB of memory"),
        (
            600.0,
            "this will take about 32 s, or 10 min if layers have to go back to floating point, and 1.0 GiB of memory",
        ),
    ],
)
def test_a_second_time_is_told_only_where_it_is_another(more: float, text: str) -> None:
    assert Estimate(32.0, more, 2.0**30).text == text

"""The expected calibration error is 0 where confidence is accurate, and its distance from accuracy elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.quant.confidence.reliability import BINS, Item, bins, reliability

chances = st.floats(0, 1)


def test_confidence_that_keeps_its_word() -> None:
    items = [Item(0.75, float(index % 4 != 0), index // 60) for index in range(60 * BINS)]
    found = reliability(items)
    assert found.ece == pytest.approx(0, abs=1e-9)
    assert found.low <= found.high < 0.2


def test_confidence_that_is_too_high() -> None:
    items = [Item(0.9, float(index % 2), index % 40) for index in range(400)]
    found = reliability(items)
    assert found.ece == pytest.approx(0.4, abs=0.02)
    assert found.low - 0.02 <= found.ece <= found.high + 0.02


def test_what_chance_leaves_of_the_error_falls_with_the_number_of_words() -> None:
    generator = np.random.default_rng(0)
    found = []
    for count in (300, 30_000):
        confidence = generator.random(count)
        right = generator.random(count) < confidence  # as often as they say
        rows = zip(confidence, right, strict=True)
        one = reliability([Item(c, float(r), index % 50) for index, (c, r) in enumerate(rows)], resamples=50)
        assert one.chance is not None
        assert one.low == 0 < one.ece < 3 * one.chance
        found.append(one.chance)
    assert found[0] > 5 * found[1]
    assert reliability([Item(0.5, 0.5, 0)], resamples=3).chance is None  # partly right


@given(st.lists(st.tuples(chances, chances), min_size=1, max_size=100))
def test_bins_are_of_equal_size_and_hold_every_item(items: list[tuple[float, float]]) -> None:
    confidence, accuracy = np.array(items).T
    found = bins(confidence, accuracy)
    sizes = [one.size for one in found]
    assert sum(sizes) == len(items)
    assert max(sizes) - min(sizes) <= 1
    assert [one.confidence for one in found] == pytest.approx(sorted(one.confidence for one in found))
    assert sum(one.accuracy * one.size for one in found) == pytest.approx(accuracy.sum())


@given(st.lists(st.tuples(chances, chances | st.sampled_from((0.0, 1.0)), st.integers(0, 5)), min_size=1, max_size=60))
def test_the_error_lies_within_its_interval(items: list[tuple[float, float, int]]) -> None:
    found = reliability([Item(*item) for item in items], resamples=20)
    assert 0 <= found.low <= found.ece <= found.high <= 1


@pytest.mark.parametrize("excess", [0.0, 0.05, 0.15])
def test_the_interval_holds_the_error_that_endless_speech_would_show(excess: float) -> None:
    generator = np.random.default_rng(1)
    found = []
    for _ in range(30):
        confidence = 0.5 + 0.45 * generator.random(600)
        right = generator.random(600) < confidence - excess
        rows = enumerate(zip(confidence, right, strict=True))
        found.append(reliability([Item(c, float(r), index // 10) for index, (c, r) in rows], resamples=200))
    assert sum(one.low <= excess <= one.high for one in found) >= 21  # resamples alone: 0, 4 and 29
    plain = [sum(abs(one.accuracy - one.confidence) * one.size for one in each.bins) / 600 for each in found]
    assert abs(np.mean([one.ece for one in found]) - excess) < max(0.01, abs(np.mean(plain) - excess))

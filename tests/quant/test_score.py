"""Error rates equal jiwer's, drops equal NNCF's."""

import math

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.quant.evaluation.bootstrap import Rate
from asrd.quant.evaluation.score import Score, drop, error_rate, score
from asrd.quant.recipe import Metric

TEXTS = st.lists(
    st.tuples(*[st.lists(st.sampled_from(["A", "CAT", "SAT", "ON", "O'MAT"]), min_size=low) for low in (1, 0)])
)


@given(TEXTS.filter(bool))
def test_rates_are_those_of_jiwer(pairs: list[tuple[list[str], list[str]]]) -> None:
    said, heard = ([" ".join(words) for words in side] for side in zip(*pairs, strict=True))
    found = score(said, heard, resamples=2)
    assert found.wer.value == pytest.approx(jiwer.wer(said, heard))
    assert found.cer.value == pytest.approx(jiwer.cer(said, heard))
    assert found.words == sum(len(words) for words, _ in pairs)
    assert found.characters == sum(map(len, said))
    assert error_rate("wer", said, heard) == found.wer.value
    assert error_rate("cer", said, heard) == found.cer.value


def test_rates_by_hand() -> None:
    result = score(["THE CAT SAT", "ON A MAT"], ["THE CAT", "on the mat."])
    assert result.wer.value == pytest.approx(2 / 6)  # SAT is missing, A became THE
    assert result.cer.value == pytest.approx((4 + 3) / (11 + 8))
    assert (result.words, result.characters) == (6, 19)


def test_nothing_heard_is_all_wrong_and_nothing_said_is_left_out() -> None:
    assert score(["HELLO", "—"], ["", "NOISE"]) == score(["HELLO"], [""])
    assert score(["HELLO"], [""]).wer == Rate(1.0, 1.0, 1.0)


def _scored(wer: float) -> Score:
    return Score(Rate(wer, wer, wer), Rate(0.0, 0.0, 0.0), 100, 500)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(0.05, 0.06), (0.5, 0.9), (0.9, 1.2), (1.2, 1.3)])
def test_drops_are_those_of_nncf(before: float, after: float) -> None:
    from nncf import DropType
    from nncf.quantization.algorithms.accuracy_control.algorithm import calculate_accuracy_drop

    for kind in ("absolute", "relative"):
        _, expected = calculate_accuracy_drop(1 - before, 1 - after, 0.01, DropType(kind))
        ours = drop("wer", _scored(before), _scored(after), kind)
        assert ours == pytest.approx(expected if before < 1 else abs(expected))


def test_a_gain_is_a_negative_drop_and_no_accuracy_can_lose_no_share() -> None:
    assert drop("wer", _scored(0.5), _scored(0.4), "absolute") == pytest.approx(-0.1)
    assert drop("wer", _scored(0.5), _scored(0.4), "relative") == pytest.approx(-0.2)
    assert drop("cer", _scored(0.5), _scored(0.9), "relative") == 0
    assert drop("wer", _scored(1.0), _scored(1.1), "relative") == math.inf
    assert drop("wer", _scored(1.0), _scored(1.0), "relative") == 0
    assert drop("wer", _scored(1.0), _scored(0.9), "relative") == -math.inf


@pytest.mark.parametrize("metric", ["wer", "cer"])
def test_the_metric_decides(metric: Metric) -> None:
    better, worse = score(["A CAT"], ["A CAT"]), score(["A CAT"], ["A CAB"])
    assert drop(metric, better, worse, "absolute") == pytest.approx({"wer": 1 / 2, "cer": 1 / 5}[metric])

"""Every table shows accuracy, speed and size side by side."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.models import ModelDirectory
from asrd.quant.evaluation.figures import change, figures, size, verdict
from asrd.quant.evaluation.speed import Speed

from .measured import measured

SAID = ["ONE TWO", "THREE FOUR", "FIVE SIX", "SEVEN EIGHT"]
FOUND = {
    "torch": measured("torch", SAID, SAID, [60, 80, 100, 70, 90]),
    "int8": measured("int8", SAID, ["ONE TWO", "THREE", "five six!", "SEVEN EIGHT"], [10, 20, 10, 35, 10]),
}


def test_a_row_a_backend_beside_the_first() -> None:
    torch, int8 = figures(FOUND, {"torch": 400, "int8": 100})
    assert (torch.backend, torch.exact_match, torch.speed.times_first) == ("torch", 1.0, 1.0)
    assert (int8.backend, int8.exact_match, int8.size) == ("int8", 0.75, 100)
    assert torch.speed.median == pytest.approx(80)
    assert (int8.speed.median, int8.speed.p90) == (pytest.approx(10), pytest.approx(29))


def test_the_ratio_is_of_windows_and_not_of_medians() -> None:
    # Window by window: 6, 4, 10, 2 and 9 times; the ratio of the medians would be 8.
    assert figures(FOUND, {})[1].speed.times_first == pytest.approx(6)


def test_backends_may_have_heard_other_windows() -> None:
    more = measured("more", SAID, SAID, [10, 10, 10, 40, 40, 40])
    assert figures(FOUND | {"more": more}, {})[2].speed.times_first == pytest.approx(80 / 25)


def test_json_holds_all_that_a_table_shows() -> None:
    row = json.loads(json.dumps(figures(FOUND, {"int8": 100})[1].plain()))
    assert row["wer"][0] == pytest.approx(1 / 8)
    assert row["wer"][1] <= row["wer"][0] <= row["wer"][2]
    assert set(row["window_ms"]) == {"median", "p10", "p90"}
    assert (row["bytes"], row["words"], row["arithmetic"]) == (100, 8, "f32")


def test_nothing_heard_has_no_speed() -> None:
    (row,) = figures({"a": measured("a", SAID, SAID)}, {})
    silent = measured("b", SAID, SAID)
    object.__setattr__(silent, "window_seconds", ())
    assert not math.isnan(row.speed.median)
    (row,) = figures({"b": silent}, {})
    assert math.isnan(row.speed.median)
    plain = json.loads(json.dumps(row.plain(), allow_nan=False))
    assert (plain["window_ms"]["p90"], plain["times_first"]) == (None, None)


def test_the_verdict_is_one_sentence() -> None:
    rows = figures(FOUND, {"torch": 400, "int8": 100})
    assert verdict(rows) == (
        "int8 raises WER by 12.50 points and raises CER by 13.89 points on 8 words; "
        "it runs 6.00 times as fast as torch and has 25 % of torch's size."
    )
    assert verdict(figures(FOUND, {})).endswith("it runs 6.00 times as fast as torch.")
    assert verdict(rows, timed=False).endswith("on 8 words; it has 25 % of torch's size.")
    assert verdict(rows[:1]) == "torch has 0.00 % WER and 0.00 % CER."
    assert verdict(rows[::-1]).startswith("torch lowers WER by 12.50 points")
    silent = replace(rows[1], speed=Speed(*[math.nan] * 4), size=0)
    assert verdict([rows[0], silent]).endswith("on 8 words.")


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (-0.58, "lowers WER by 0.58 points"),
        (0.39, "raises WER by 0.39 points"),
        (-0.004, "lowers WER by less than 0.01 points"),
        (0.0, "leaves WER as it is"),
        (-0.0, "leaves WER as it is"),
        (math.nan, "changes WER by an unknown amount"),
    ],
)
def test_a_change_of_an_error_rate_is_plain_english(points: float, words: str) -> None:
    assert change("INT8", "WER", points) == f"INT8 {words}"


@given(st.floats(-200, 200))
def test_a_change_has_no_sign_and_no_nothing(points: float) -> None:
    said = change("INT8", "CER", points)
    assert "-" not in said
    assert "by 0.00" not in said


def test_sizes_are_those_of_the_files_with_weights(base_model: ModelDirectory) -> None:
    weights = base_model.path / "model.safetensors"
    network = base_model.openvino("fp16")
    assert size(base_model, "torch") == weights.stat().st_size
    assert size(base_model, "fp16") == network.stat().st_size + network.with_suffix(".bin").stat().st_size
    assert size(base_model, "a third party's") == 0

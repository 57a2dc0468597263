"""The calibration of a model is read with it; an invalid file is reported in one line."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import ModelError
from asrd.models.calibration import NAME, UNCALIBRATED, Calibration, Confidence, Evidence

GOOD = {
    "times": {"before": 480, "after": 320},
    "confidence": {"bias": -1.0, "weights": {"mean": 0.5, "least": 1.0, "letters": 0.1}},
    "facts": "are ignored",
}
numbers = st.floats(-1e6, 1e6)


def test_a_model_without_the_file_is_uncalibrated(tmp_path: Path) -> None:
    assert Calibration.load(tmp_path) == UNCALIBRATED
    assert UNCALIBRATED.confidence(Evidence(mean=math.log(0.8), least=-9, letters=1)) == pytest.approx(0.8)


def test_what_was_learned_is_read(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps(GOOD), encoding="utf-8")
    calibration = Calibration.load(tmp_path)
    assert (calibration.before, calibration.after) == (480, 320)
    assert calibration.words == Confidence(-1.0, Evidence(mean=0.5, least=1.0, letters=0.1))
    (tmp_path / NAME).write_text(json.dumps(GOOD | {"confidence": None}), encoding="utf-8")
    assert Calibration.load(tmp_path) == Calibration(480, 320)


@given(numbers, st.tuples(numbers, numbers, numbers), st.tuples(numbers, numbers, numbers))
def test_confidence_is_a_probability_whatever_was_learned(
    bias: float, weights: tuple[float, ...], evidence: tuple[float, ...]
) -> None:
    assert 0 <= Confidence(bias, Evidence(*weights)).of(Evidence(*evidence)) <= 1


@pytest.mark.parametrize(
    "change",
    [
        {"times": {"before": 480}},
        {"times": None},
        {"times": {"before": math.inf, "after": 0}},
        {"confidence": 3},
        {"confidence": {"bias": 1.0, "weights": [0.5, 1.0, 0.1]}},
        {"confidence": {"bias": 1.0, "weights": {"mean": 1.0}}},
        {"confidence": {"bias": "high", "weights": GOOD["confidence"]["weights"]}},  # type: ignore[index]
        {"confidence": {"bias": math.nan, "weights": GOOD["confidence"]["weights"]}},  # type: ignore[index]
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / NAME).write_text(json.dumps(GOOD | change), encoding="utf-8")
    with pytest.raises(ModelError, match="asrd calibrate-confidence") as caught:
        Calibration.load(tmp_path)
    assert "\n" not in str(caught.value)

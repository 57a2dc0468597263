"""The validator tells the steps of accuracy control from the evaluations that rank groups, and keeps all it heard."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory, runtime
from asrd.quant import validator as control
from asrd.quant.data import Clip
from asrd.quant.journal import Journal
from asrd.quant.recipe import Recipe
from asrd.quant.search import Candidate
from asrd.quant.validator import Reverted, Validator

from .progress import Stages

WORDS = ["one", "two", "three", "four"]


class Counting(Candidate):
    """A candidate that gets so many words right, and notes that it is compiled."""

    def __init__(self, model: ModelDirectory, right: int) -> None:
        self.right, self.ran, self.arithmetic = right, 0, "f32"
        self._model = model

    @property
    def identity(self) -> str:  # type: ignore[override]
        return str(self.right)

    @property
    def compiled(self) -> Any:  # type: ignore[override]
        return self

    def create_infer_request(self) -> "Counting":
        self.ran += 1
        return self

    def infer(self, _: Any) -> list[np.ndarray]:
        frames = self._model.geometry.frames(MAX_WINDOW)
        return [np.full((1, frames, len(self._model.vocabulary)), self.right, np.float32)]


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Clip]:
    def text_of(backend: Any, _: Clip) -> str:
        right = int(backend.logits(np.zeros((1, MAX_WINDOW), np.float32))[0, 0, 0])
        return " ".join(WORDS[:right])

    monkeypatch.setattr(control, "text_of", text_of)
    return [Clip(name, " ".join(WORDS), tmp_path) for name in "ab"]


def _say(listener: Reverted, text: str) -> None:
    listener.emit(logging.makeLogRecord({"msg": text}))


def test_ranking_with_all_clips_is_no_step(bundled: ModelDirectory, tmp_path: Path, clips: list[Clip]) -> None:
    """NNCF ranks with all clips if there are fewer than the ranking subset."""
    journal, stages = Journal(tmp_path / "journal", {}), Stages()
    original = Counting(bundled, 4)
    validator = Validator(bundled, clips, Recipe(metric="wer"), journal, stages, original)
    listener = Reverted(validator.step)
    _say(listener, "Validation of initial model was started")
    validator(original, [0])  # NNCF learns what kind of values it gets
    assert validator(original, [0, 1]) == (1.0, [1.0, 1.0])
    _say(listener, "Validation of quantized model was started")
    assert validator(Counting(bundled, 1), [0, 1]) == (0.25, [0.25, 0.25])
    validator.ranks(2)
    for ranked in (2, 3):
        validator(Counting(bundled, ranked), [0, 1])
    _say(listener, "Reverted 1 operations to the floating-point precision: \n\tlayer")
    validator(Counting(bundled, 3), [0, 1])
    journal.close()
    assert validator.steps == [0.0, 0.75, 0.25]
    assert listener.groups == [["layer"]]
    assert stages.steps == {
        "accuracy, original": [2, 3],
        "accuracy, all in 8 bits": [2, 2],
        "ranking 2 groups": [4, 4],
        "reverting groups": [0, 2],
    }


def test_it_steers_by_the_worst_of_the_rates(bundled: ModelDirectory, tmp_path: Path, clips: list[Clip]) -> None:
    journal = Journal(tmp_path / "journal", {})
    losses = {}
    for metric in ("wer", "cer", "both"):
        validator = Validator(bundled, clips, Recipe(metric=metric), journal, Stages(), Counting(bundled, 4))  # type: ignore[arg-type]
        losses[metric] = 1 - validator(Counting(bundled, 2), [0])[0]
    journal.close()
    assert losses["wer"] == 0.5
    assert losses["both"] == max(losses["wer"], losses["cer"]) > min(losses["wer"], losses["cer"])


def test_what_is_known_is_not_computed_again(bundled: ModelDirectory, tmp_path: Path, clips: list[Clip]) -> None:
    """Not even compiled; and a candidate that was interrupted goes on with the next clip."""
    journal = Journal(tmp_path / "journal", {})
    Validator(bundled, clips, Recipe(), journal, Stages(), Counting(bundled, 4))(Counting(bundled, 3), [0])
    journal.close()
    journal, again, stages = Journal(tmp_path / "journal", {}), Counting(bundled, 3), Stages()
    validator = Validator(bundled, clips, Recipe(), journal, stages, Counting(bundled, 4))
    stages.stage("ranking", 2)
    validator.prepare(again)
    first = validator(again, [0])
    assert (again.ran, stages.skipped) == (0, 1)
    assert validator(again, [0, 1])[1] == first[1] * 2
    assert (again.ran, stages.skipped) == (1, 2)
    journal.close()


def test_what_is_lost_to_arithmetic_counts_too(bundled: ModelDirectory, tmp_path: Path, clips: list[Clip]) -> None:
    """The proof compares with 32 bits, whatever INT8 is deployed in; so does what steers towards it."""
    journal, original = Journal(tmp_path / "journal", {}), Counting(bundled, 4)
    validator = Validator(bundled, clips, Recipe(metric="wer", arithmetic="bf16"), journal, Stages(), original)
    same, other = Counting(bundled, 4), Counting(bundled, 3)
    same.arithmetic = other.arithmetic = "bf16"
    assert validator(same, [0])[0] == 1
    assert validator(other, [0])[0] == 0.75
    assert (original.ran, same.ran, other.ran) == (1, 0, 1)
    journal.close()


def test_candidates_are_told_apart_by_what_they_compute() -> None:
    openvino = runtime.openvino()
    ops = openvino.opset13

    def network(scale: float, bias: float) -> Any:
        audio = ops.parameter([1, 4], np.float32, name="audio")
        weights = np.full((4, 1000), scale, np.float32)
        product = ops.matmul(audio, ops.constant(weights, name="weights"), False, False, name="product")
        return openvino.Model([ops.add(product, ops.constant(np.float32(bias), name="bias"), name="sum")], [audio])

    one = Candidate(network(1, 0))
    assert one.identity == Candidate(network(1, 0)).identity
    assert len({Candidate(network(*values)).identity for values in ((1, 0), (2, 0), (1, 1))}) == 3
    answer = one.compiled.create_infer_request().infer({0: np.ones((1, 4), np.float32)})[0]
    assert answer.shape == (1, 1000)

"""The validator tells the steps of accuracy control from the evaluations that rank groups."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from asrd.quant import validator as control
from asrd.quant.data import Clip
from asrd.quant.journal import Journal
from asrd.quant.validator import Reverted, Validator


class Compiled:
    """Answers everything with one number, by which it is recognised."""

    def __init__(self, model: ModelDirectory, number: int) -> None:
        frames = model.geometry.frames(MAX_WINDOW)
        self._answer = np.full((1, frames, len(model.vocabulary)), number, np.float32)

    def create_infer_request(self) -> "Compiled":
        return self

    def infer(self, _: Any) -> list[np.ndarray]:
        return [self._answer]


def test_ranking_with_all_clips_is_no_step(
    bundled: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NNCF ranks with all clips if there are fewer than the ranking subset."""
    words = ["one", "two", "three", "four"]

    def text_of(backend: Any, _: Clip) -> str:
        right = int(backend.logits(np.zeros((1, MAX_WINDOW), np.float32))[0, 0, 0])
        return " ".join(words[:right])

    monkeypatch.setattr(control, "text_of", text_of)
    clips = [Clip(name, " ".join(words), tmp_path) for name in "ab"]
    journal = Journal(tmp_path / "journal", {})
    validator = Validator(bundled, clips, "wer", journal, np.zeros((1, MAX_WINDOW), np.float32))
    listener = Reverted(lambda _: None, validator.expect)

    def say(text: str) -> None:
        listener.emit(logging.makeLogRecord({"msg": text}))

    say("Validation of initial model was started")
    validator(Compiled(bundled, 4), [0])  # the validator learns what kind of values it gets
    validator(Compiled(bundled, 4), [0, 1])
    say("Validation of quantized model was started")
    validator(Compiled(bundled, 1), [0, 1])
    for ranked in (2, 3):
        validator(Compiled(bundled, ranked), [0, 1])
    say("Reverted 1 operations to the floating-point precision: \n\tlayer")
    validator(Compiled(bundled, 3), [0, 1])
    journal.close()
    assert validator.steps == [1.0, 0.25, 0.75]
    assert listener.groups == [["layer"]]

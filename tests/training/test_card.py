"""The card tells what a model can do."""

from typing import Any

import pytest
from click.testing import CliRunner

from asrd.cli.main import asrd
from asrd.models import ModelDirectory, manifest
from asrd.models.store import Installed
from asrd.training.card import card, write

TRAINING: dict[str, Any] = {
    "hours": {"flite": 2.0, "mine": 0.5},
    "parameters": 5_400_000,
    "init": "whisper-tiny.en",
    "licence": "MIT, OpenAI",
    "steps": 100,
    "minutes": 75.0,
    "machine": "1 cores of a CPU (avx2)",
    "watts": 10,
    "watt_hours": 12.5,
}


def evaluation(wer: float) -> dict[str, Any]:
    row = {
        "wer": [wer, wer - 0.1, wer + 0.1],
        "cer": [wer / 2, 0, 1],
        "arithmetic": "f32",
        "words": 70,
        "real_time_factor": 0.01,
    }
    return {"mine": {"utterances": 9, "backends": {"torch": row, "int8": row | {"real_time_factor": 0.005}}}}


def test_the_card_tells_what_was_measured(lv60_model: ModelDirectory) -> None:
    text = card(lv60_model, TRAINING, evaluation(0.6))
    rates = "60.0 (50.0–70.0) | 30.0 (0.0–100.0)"
    assert f"| mine: 9 utterances, 70 words | int8 (f32) | {rates} | {rates} | 200 |" in text
    assert "2.0 h of flite, 0.5 h of mine" in text
    assert "the encoder of Whisper (whisper-tiny.en; MIT, OpenAI)" in text
    assert "about 12 Wh at 10 W: estimated, not measured" in text
    named = card(lv60_model, TRAINING | {"licences": {"mine": "CC0"}}, evaluation(0.6))
    assert "2.0 h of flite, 0.5 h of mine (CC0)" in named


@pytest.mark.parametrize(
    ("wer", "says"), [(0.9, "not to rely on"), (0.4, "many words wrong"), (0.1, "reads well: 10 to 10 %")]
)
def test_the_card_is_honest(lv60_model: ModelDirectory, wer: float, says: str) -> None:
    assert says in card(lv60_model, TRAINING, evaluation(wer))


def test_the_list_of_models_shows_what_the_manifest_knows(
    bundled: ModelDirectory, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    path = tmp_path / "model"
    shutil.copytree(bundled.path, path)
    write(ModelDirectory.open(path), TRAINING, evaluation(0.6))
    assert manifest.verify(path) == []
    monkeypatch.setattr("asrd.models.store.installed", lambda: [Installed("some/model", "pulled", path)])
    shown = CliRunner().invoke(asrd, ["model", "list"], catch_exceptions=False).output
    assert "mine 60" in shown
    assert "200" in shown
    (path / manifest.NAME).write_text('{"files": {}, "evaluation": {"broken": 1}}', encoding="utf-8")
    assert "some/model" in CliRunner().invoke(asrd, ["model", "list"], catch_exceptions=False).output

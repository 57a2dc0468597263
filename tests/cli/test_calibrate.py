"""`asrd calibrate-confidence` turns speech into probabilities, keeps them with the model and reports them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from asrd.cli.calibrate import calibrate
from asrd.core.errors import UsageError
from asrd.daemon.recognition import recognizer
from asrd.daemon.recognition.recognizer import log_softmax
from asrd.models import ModelDirectory, manifest
from asrd.models.calibration import NAME, Calibration
from asrd.quant.confidence import calibrate as steps


@pytest.fixture
def copy(tiny: ModelDirectory, tmp_path: Path) -> Path:
    """A copy of the small bundled model without its calibration."""
    path = Path(shutil.copytree(tiny.path, tmp_path / "model"))
    (path / NAME).unlink(missing_ok=True)
    manifest.write(path)
    return path


def test_what_is_learned_is_kept_and_reported(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibrate a model that was made overconfident."""
    monkeypatch.setattr(steps, "times_can_be_learned", lambda _: False)
    monkeypatch.setattr(recognizer, "log_softmax", lambda logits: log_softmax(3 * logits))
    arguments = ["--model", str(copy), "--limit", "60", "--json"]
    page = tmp_path / "page.md"
    result = CliRunner().invoke(calibrate, [*arguments, "--report", str(page)], catch_exceptions=False)
    facts = json.loads(result.stdout)
    words = facts["reliability"]["bundled"]["words"]
    assert words["count"] > 20
    assert words["after"]["ece"] < words["before"]["ece"]
    learned = Calibration.load(copy)
    assert learned.words is not None
    assert (learned.before, learned.after) == (0, 0)
    assert "word times are as before" in result.stderr
    assert manifest.verify(copy) == []
    assert f"{words['after']['ece']:.3f}" in page.read_text(encoding="utf-8")
    assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")

    kept = (copy / NAME).read_bytes()
    result = CliRunner().invoke(calibrate, [*arguments, "--check"], catch_exceptions=False)
    assert json.loads(result.stdout)["reliability"]["bundled"]["words"]["before"] == words["before"]
    assert (copy / NAME).read_bytes() == kept


def test_a_check_holds_nothing_out(tmp_path: Path) -> None:
    result = CliRunner().invoke(calibrate, ["--check", "--report", str(tmp_path / "page.md")])
    assert isinstance(result.exception, UsageError)

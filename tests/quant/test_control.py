"""Accuracy control on a model that plain INT8 breaks: one channel of its front end is far from the others."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from asrd.core.errors import UsageError
from asrd.models import ModelDirectory, manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.convert import convert
from asrd.quant.build import build, draft_of
from asrd.quant.data import dataset
from asrd.quant.quantize import QuantizationError
from asrd.quant.recipe import Recipe
from asrd.quant.split import Split, split

pytestmark = pytest.mark.slow

RECIPE = Recipe(
    calibration=8, validation=6, test=10, windows=12, metric="cer", max_drop=0.02, ranking_subset=2, dataset="bundled"
)


class Quiet:
    def stage(self, name: str, steps: int | None) -> None:
        pass

    def advance(self, steps: int = 1) -> None:
        pass

    def notice(self, text: str) -> None:
        pass


@pytest.fixture(scope="session")
def fragile(bundled: ModelDirectory, tmp_path_factory: pytest.TempPathFactory) -> ModelDirectory:
    """The bundled model with an outlier that its answers do not depend on.

    The second convolution puts 3000 out on one channel, which the third one's weights ignore. In
    floating point nothing is lost; an 8-bit scale that reaches 3000 rounds all other channels to 0.
    """
    import torch

    path = tmp_path_factory.mktemp("fragile") / "fragile"
    shutil.copytree(bundled.path, path, ignore=shutil.ignore_patterns("openvino", "manifest.json", "README.md"))
    network = load_checkpoint(bundled)
    with torch.no_grad():
        layers = network.wav2vec2.feature_extractor.conv_layers
        weights = layers[2].conv.weight
        channel = int(weights.abs().sum((0, 2)).argmin())
        weights[:, channel] = 0
        layers[1].layer_norm.weight[channel] = 0
        layers[1].layer_norm.bias[channel] = 3000
    network.save_pretrained(path)
    model = ModelDirectory.open(path)
    convert(model)
    return model


@pytest.fixture(scope="session")
def parts() -> Split:
    return split(dataset(RECIPE.dataset), RECIPE.calibration, RECIPE.validation, RECIPE.test, RECIPE.seed)


def test_plain_quantization_fails_honestly(fragile: ModelDirectory, parts: Split, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(QuantizationError, match=r"more than the 2.00 allowed.*nothing was written; leave out --fast"):
        build(fragile, out, replace(RECIPE, fast=True), parts, resume=False, progress=Quiet())
    assert not out.exists()
    assert not draft_of(out).exists()


def test_accuracy_control_reverts_what_breaks_and_proves_it(
    fragile: ModelDirectory, parts: Split, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = build(fragile, out, RECIPE, parts, resume=False, progress=Quiet())
    assert result.proof.holds
    assert "front.2" in result.reverted
    original, plain, *_, last = result.steps
    assert plain < original - 0.1
    assert last >= original - RECIPE.max_drop
    facts = manifest.read(out)["quantization"]
    assert facts["layers"]["reverted"] == list(result.reverted)
    assert not set(facts["layers"]["int8"]) & set(result.reverted)
    assert facts["split"]["test"] == [clip.id for clip in parts.test]
    assert set(facts["measured"]) == {"torch", "fp16", "int8"}
    assert manifest.verify(out) == []
    assert "front.2" in (out / "report.html").read_text()


def test_a_bound_out_of_reach_installs_nothing(fragile: ModelDirectory, parts: Split, tmp_path: Path) -> None:
    """One group may be reverted, and it is given too little to find the right one by."""
    out = tmp_path / "out"
    recipe = replace(RECIPE, keep_float=("front.0",), iterations=1, max_drop=0.0, ranking_subset=1)
    starved = replace(parts, validation=parts.validation[:1])
    with pytest.raises(QuantizationError, match=r"more than the 0\.00 allowed"):
        build(fragile, out, recipe, starved, resume=False, progress=Quiet())
    assert list(tmp_path.iterdir()) == []


def _command(model: ModelDirectory, out: Path, *more: str) -> list[str]:
    options = {
        "model": model.path,
        "output": out,
        "calibration": 8,
        "validation": 6,
        "test": 10,
        "windows": 12,
        "metric": "cer",
        "max-drop": 0.02,
        "ranking-subset-size": 2,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "asrd.cli.main", "quantize", *words, *more]


def test_a_killed_run_resumes_to_the_same_model(fragile: ModelDirectory, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(_command(fragile, whole), check=True, capture_output=True)
    journal = draft_of(broken) / ".journal.jsonl"
    with subprocess.Popen(_command(fragile, broken), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and (not journal.is_file() or len(journal.read_text().splitlines()) < 8):
            time.sleep(0.02)  # the journal is a plain file: there is nothing to wait on
        os.kill(running.pid, signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    assert not broken.exists()
    evaluated = len(journal.read_text().splitlines())
    refused = subprocess.run(
        _command(fragile, broken, "--seed=1", "--resume"), check=False, capture_output=True, text=True
    )
    assert (refused.returncode, "without --resume" in refused.stderr) == (2, True)
    resumed = subprocess.run(_command(fragile, broken, "--resume"), check=False, capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert evaluated >= 8
    for name in ("openvino/int8.xml", "openvino/int8.bin", "openvino/fp16.xml", "openvino/fp16.bin"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name
    one, two = (json.loads((path / "manifest.json").read_text())["quantization"] for path in (whole, broken))
    for varying in one["varies"]:
        one.pop(varying, None)
        two.pop(varying, None)
    assert one == two


def test_nothing_to_resume_is_said(fragile: ModelDirectory, parts: Split, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no interrupted run"):
        build(fragile, tmp_path / "out", RECIPE, parts, resume=True, progress=Quiet())

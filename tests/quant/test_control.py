"""Accuracy control repairs a model that plain INT8 breaks: one channel of its front end is far from the others."""

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
from click.testing import CliRunner, Result

from asrd.cli.main import asrd
from asrd.core.errors import UsageError
from asrd.models import ModelDirectory, manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.convert import convert
from asrd.quant import validator as control
from asrd.quant.build import build
from asrd.quant.data import dataset
from asrd.quant.quantize import QuantizationError
from asrd.quant.recipe import Recipe
from asrd.quant.split import Split, split
from asrd.quant.workspace import draft_of

from .progress import Stages
from .test_build import same_facts

pytestmark = pytest.mark.slow

RECIPE = Recipe(
    calibration=8,
    validation=4,
    test=10,
    windows=12,
    metric="cer",
    max_drop=0.3,
    ranking_subset=2,
    keep_float=("block.*",),
    smooth_quant=-1,
    sensitivity=False,
)
"""Little speech, a bound with room for that, few layers to choose from, and no smoothing, which would fix
what is broken: the search itself is tested.
"""


@pytest.fixture(scope="session")
def fragile(tiny: ModelDirectory, tmp_path_factory: pytest.TempPathFactory) -> ModelDirectory:
    """The small bundled model with outliers that do not affect its output.

    The inputs of the third convolution and of the projection are 3000 on one channel, which their weights ignore. In
    floating point nothing is lost; an 8-bit scale that reaches 3000 rounds all other channels to 0.
    """
    import torch

    path = tmp_path_factory.mktemp("fragile") / "fragile"
    shutil.copytree(tiny.path, path, ignore=shutil.ignore_patterns("openvino", "manifest.json", "README.md"))
    network = load_checkpoint(tiny)
    with torch.no_grad():
        layers = network.wav2vec2.feature_extractor.conv_layers
        projection = network.wav2vec2.feature_projection
        for norm, weight in (
            (layers[1].layer_norm, layers[2].conv.weight),
            (projection.layer_norm, projection.projection.weight),
        ):
            channel = int(weight.abs().transpose(0, 1).flatten(1).sum(1).argmin())
            weight[:, channel] = 0
            norm.weight[channel] = 0
            norm.bias[channel] = 3000
    network.save_pretrained(path)
    model = ModelDirectory.open(path)
    convert(model)
    return model


@pytest.fixture(scope="session")
def parts() -> Split:
    return split(dataset(RECIPE.dataset), RECIPE.calibration, RECIPE.validation, RECIPE.test, RECIPE.seed)


def _arguments(model: ModelDirectory, out: Path, *more: str) -> list[str]:
    options = {
        "model": model.path,
        "output": out,
        "calibration": 8,
        "validation": 4,
        "test": RECIPE.test,
        "windows": 12,
        "metric": "cer",
        "max-drop": 0.3,
        "keep-float": "block.*",
        "ranking-subset-size": 2,
        "smooth-quant": -1,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return ["quantize", *words, "--no-sensitivity", *more]


def _run(model: ModelDirectory, out: Path, *more: str) -> Result:
    """Run the command in this process: another would load PyTorch and NNCF once more."""
    return CliRunner().invoke(asrd, _arguments(model, out, *more))


@pytest.fixture(scope="session")
def whole(fragile: ModelDirectory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that the command builds without interruption."""
    out = tmp_path_factory.mktemp("built") / "whole"
    done = _run(fragile, out)
    assert done.exit_code == 0, done.exception
    return out


def test_plain_quantization_fails_honestly(fragile: ModelDirectory, parts: Split, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(QuantizationError, match=r"does not hold.*up to 30.00 may be lost in CER.*leave out --fast"):
        build(fragile, out, replace(RECIPE, fast=True), parts, resume=False, progress=Stages())
    assert not out.exists()


def test_accuracy_control_reverts_what_breaks_and_proves_it(whole: Path, parts: Split) -> None:
    facts = manifest.read(whole)["quantization"]
    assert {"front.2", "projection"} <= set(facts["layers"]["reverted"])
    assert not set(facts["layers"]["int8"]) & set(facts["layers"]["reverted"])
    original, plain, *_, last = facts["accuracy_lost"]
    assert original == 0
    assert plain > RECIPE.max_drop
    assert last <= RECIPE.max_drop
    measured = facts["measured"]
    assert set(measured) == {"torch", "fp16", "int8"}
    assert facts["proof"]["outcome"] == "holds"
    value, low, high = facts["proof"]["lost"]["cer"]
    assert value == pytest.approx(measured["int8"]["cer"][0] - measured["torch"]["cer"][0])
    assert low <= value <= high
    assert high <= RECIPE.max_drop
    heard = [json.loads(line) for line in (whole / "proof.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in heard] == facts["split"]["test"]
    assert set(heard[0]) == {"id", "speaker", "text", "torch", "fp16", "int8"}
    assert facts["split"]["test"] == [clip.id for clip in parts.test]
    assert manifest.verify(whole) == []
    assert "projection" in (whole / "report.html").read_text(encoding="utf-8")


def test_a_refused_run_is_kept_for_another_bound(
    fragile: ModelDirectory, parts: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two layers are broken, and only one may be reverted. A larger bound then takes little, and is on record."""
    out, first = tmp_path / "out", Stages()
    with pytest.raises(QuantizationError, match=r"the bound does not hold.*nothing was written; try"):
        build(fragile, out, replace(RECIPE, iterations=1), parts, resume=False, progress=first)
    [(name, [expected, done])] = [each for each in first.steps.items() if each[0].startswith("ranking")]
    assert int(name.split()[1]) * RECIPE.ranking_subset == expected == done  # what is ranked is known beforehand
    assert list(tmp_path.iterdir()) == [draft_of(out)]
    monkeypatch.setattr(control, "text_of", None)  # accuracy control heard all it needs
    stages = Stages()
    lax = replace(RECIPE, iterations=1, max_drop=1.0, accept_uncertain=True)
    build(fragile, out, lax, parts, resume=True, progress=stages)
    facts = manifest.read(out)["quantization"]
    assert stages.skipped > 0
    assert [verdict[:27] for verdict in facts["refused"]] == ["the bound does not hold: IN"]
    assert facts["recipe"]["max_drop"] == 1.0


def test_a_killed_run_resumes_to_the_same_model(fragile: ModelDirectory, whole: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    journal = draft_of(broken) / ".journal.jsonl"
    command = [sys.executable, "-m", "asrd.cli.main", *_arguments(fragile, broken)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and (
            not journal.is_file() or len(journal.read_text(encoding="utf-8").splitlines()) < 8
        ):
            time.sleep(0.02)  # the journal is a plain file: there is nothing to wait on
        os.kill(running.pid, signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    assert not broken.exists()
    evaluated = len(journal.read_text(encoding="utf-8").splitlines())
    refused = _run(fragile, broken, "--seed=1", "--resume")
    assert isinstance(refused.exception, UsageError)
    assert "without --resume" in str(refused.exception)
    resumed = _run(fragile, broken, "--resume")
    assert resumed.exit_code == 0, resumed.exception
    assert evaluated >= 8
    for name in ("openvino/int8.xml", "openvino/int8.bin", "openvino/fp16.xml", "openvino/fp16.bin"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name
    one, two = (
        json.loads((path / "manifest.json").read_text(encoding="utf-8"))["quantization"] for path in (whole, broken)
    )
    assert same_facts(one, two)


def test_nothing_to_resume_is_said(fragile: ModelDirectory, parts: Split, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no interrupted run"):
        build(fragile, tmp_path / "out", RECIPE, parts, resume=True, progress=Stages())

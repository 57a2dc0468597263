"""`asrd quantize` installs a whole model directory or none, only if it is good enough, and the same each time."""

import errno
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from asrd.backends import LoadOptions, load
from asrd.cli.main import asrd
from asrd.core.errors import ModelError, UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory, runtime
from asrd.models import manifest as manifests
from asrd.models.convert import save
from asrd.quant.build import JOURNAL, build
from asrd.quant.calibration_windows import calibration_windows
from asrd.quant.data import dataset
from asrd.quant.graph import layers, select
from asrd.quant.journal import Journal
from asrd.quant.quantize import NotGoodEnoughError, QuantizationError, quantize, read_network
from asrd.quant.recipe import Recipe
from asrd.quant.result import Result
from asrd.quant.search import Candidate
from asrd.quant.split import split
from asrd.quant.validator import Validator
from asrd.quant.workspace import draft_of

from .progress import Stages


def _build(
    model: ModelDirectory, data: Path, out: Path, recipe: Recipe, stages: Stages | None = None, *, resume: bool = False
) -> Result:
    parts = split(dataset(str(data)), 2, 2, 2, recipe.seed)
    return build(model, out, recipe, parts, resume=resume, progress=stages or Stages())


@pytest.fixture
def windows(base_model: ModelDirectory, manifest: Path) -> FloatArray:
    return calibration_windows(base_model, dataset(str(manifest)), 4, seed=0)


def _compressed(network: object, path: Path) -> dict[str, str]:
    """Return the element type of each layer's stored weights, by label."""
    save(network, path, compress=True)
    found = {}
    stored = runtime.openvino().Core().read_model(path)
    nodes = {node.get_friendly_name(): node for node in stored.get_ordered_ops()}
    for layer in layers(stored):
        operand = nodes[layer.node].input_value(1).get_node()
        while operand.get_type_name() != "Constant":
            operand = operand.input_value(0).get_node()
        found[layer.label] = operand.get_element_type().get_type_name()
    return found


@pytest.mark.slow
def test_layers_become_8_bit_except_those_kept(base_model: ModelDirectory, windows: FloatArray, tmp_path: Path) -> None:
    network = read_network(base_model)
    kept = select(layers(network), ["front.*", "head"])
    types = _compressed(quantize(network, windows, keep_float=kept)[0], tmp_path / "int8.xml")
    assert {label for label, kind in types.items() if kind != "i8"} == {layer.label for layer in kept}
    assert len(types) > len(kept)


@pytest.mark.slow
def test_the_same_input_gives_the_same_weights(base_model: ModelDirectory, windows: FloatArray, tmp_path: Path) -> None:
    for name in ("one.xml", "two.xml"):
        save(quantize(read_network(base_model), windows)[0], tmp_path / name, compress=True)
    assert (tmp_path / "one.bin").read_bytes() == (tmp_path / "two.bin").read_bytes()


class Relentless(Validator):
    """Takes only the original for good enough."""

    def __call__(self, candidate: Candidate, items: Iterable[int]) -> tuple[float, list[float]]:
        assert self.original
        accuracy = float(candidate.identity == self.original.identity)
        return accuracy, [accuracy for _ in items]


@pytest.mark.slow
@pytest.mark.parametrize("smooth_quant", [-1.0, 0.95])
def test_a_layer_put_back_is_what_it_was(
    base_model: ModelDirectory, manifest: Path, windows: FloatArray, tmp_path: Path, smooth_quant: float
) -> None:
    """With all layers put back, the network is the original: also where outliers were smoothed before."""
    network = read_network(base_model)
    journal = Journal(tmp_path / "journal", {})
    recipe = Recipe(smooth_quant=smooth_quant, ranking_subset=1)
    judge = Relentless(base_model, dataset(str(manifest))[:2], recipe, journal, Stages())
    put_back, _ = quantize(network, windows, recipe, keep_float=select(layers(network), ["front.*"]), validator=judge)
    journal.close()
    openvino, settings = runtime.openvino(), {"INFERENCE_PRECISION_HINT": "f32"}
    before, after = (
        openvino.compile_model(one, "CPU", settings)(windows[:1])[0] for one in (read_network(base_model), put_back)
    )
    assert not [node for node in put_back.get_ops() if node.get_type_name() == "FakeQuantize"]
    np.testing.assert_allclose(after, before, atol=0.02 * np.abs(before).max() / 10)


LAX = Recipe(max_drop=1.0, accept_uncertain=True, fast=True, windows=4)
"""A random model hears nothing in particular, so nothing can be told of its INT8 form."""


@pytest.mark.slow
def test_builds_a_model_that_serves(base_model: ModelDirectory, manifest: Path, tmp_path: Path) -> None:
    stages = Stages()
    out = tmp_path / "small-int8"
    result = _build(base_model, manifest, out, replace(LAX, keep_float=("front.0",)), stages)
    model = ModelDirectory.open(out)
    facts = _facts(out)
    assert facts["layers"]["kept"] == ["front.0", "position"]  # its groups are too narrow for AMX
    assert facts["layers"]["reverted"] == list(result.layers.reverted) == []
    assert "front.0" not in facts["layers"]["int8"]
    assert "in floating point: front.0, position" in result.proof.verdict
    assert facts["measured"]["int8"]["wer"][0] == result.measurements["int8"].score.wer.value
    assert result.sizes["int8"] < result.sizes["fp16"] < result.sizes["torch"]
    for precision in ("fp16", "int8", "torch"):
        assert load(precision, model, LoadOptions(cache=False)).logits(np.zeros((1, MAX_WINDOW), np.float32)).any()
    assert stages.steps["measuring torch, fp16, int8"] == [6, 6]
    assert (
        stages.steps["sensitivity of each layer"] == [len(facts["layers"]["int8"]) + len(facts["layers"]["kept"])] * 2
    )
    assert facts["split"]["test"]
    assert not draft_of(out).exists()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(base_model: ModelDirectory, manifest: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for out in (one, two):
        _build(base_model, manifest, out, LAX)
    same = [file.relative_to(one) for file in one.rglob("*") if file.is_file() and file.name != "report.html"]
    differing = [str(file) for file in same if (one / file).read_bytes() != (two / file).read_bytes()]
    assert differing == ["manifest.json"]
    facts = [_facts(out) for out in (one, two)]
    assert facts[0]["varies"]
    assert same_facts(facts[0], facts[1])


def same_facts(one: Any, two: Any) -> bool:
    """Return whether two manifests are equal, apart from the fields that vary."""
    for path in one["varies"]:
        for facts in (one, two):
            if path == "machine":
                del facts[path]
                continue
            measured, every, name = path.split(".")
            assert (measured, every) == ("measured", "*")
            for figures in facts[measured].values():
                del figures[name]
    return bool(one == two)


def _facts(directory: Path) -> Any:
    assert manifests.verify(directory) == []
    return manifests.read(directory)["quantization"]


class Impatient(Stages):
    """Presses Ctrl-C once there is something to wait for."""

    def advance(self, steps: int = 1) -> None:
        raise KeyboardInterrupt


def test_an_interrupt_leaves_what_can_be_resumed_and_nothing_else(
    base_model: ModelDirectory, manifest: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        _build(base_model, manifest, tmp_path / "out", LAX, Impatient())
    assert [path.name for path in tmp_path.glob("*out*")] == [".out.partial"]


def test_a_run_goes_on_from_the_fp16_network_it_began_with(
    base_model: ModelDirectory, manifest: Path, tmp_path: Path
) -> None:
    """The network may differ from a new conversion; once it changes, what was built from it no longer fits."""
    model = ModelDirectory.open(shutil.copytree(base_model.path, tmp_path / "model"))
    with pytest.raises(KeyboardInterrupt):
        _build(model, manifest, tmp_path / "out", LAX, Impatient())
    weights = model.openvino("fp16").with_suffix(".bin")
    weights.write_bytes(bytes(weights.stat().st_size))
    with pytest.raises(UsageError, match="model changed"):
        _build(model, manifest, tmp_path / "out", LAX, resume=True)


def test_what_was_heard_before_memory_ran_out_can_be_resumed(
    base_model: ModelDirectory, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*arguments: object, **options: object) -> None:
        raise QuantizationError("NNCF cannot quantize this model: no memory")

    monkeypatch.setattr("asrd.quant.pipeline.quantize", greedy)
    with pytest.raises(QuantizationError):
        _build(base_model, manifest, tmp_path / "out", LAX)
    assert (draft_of(tmp_path / "out") / JOURNAL).is_file()


@pytest.mark.slow
def test_a_proved_model_outlives_a_report_that_cannot_be_made(
    base_model: ModelDirectory, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model can be had without that part, and is not built again."""

    def greedy(*arguments: object, **options: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr("asrd.quant.pipeline.sensitivity", greedy)
    with pytest.raises(QuantizationError, match=r"cannot be told \(no memory\).*--resume --no-sensitivity"):
        _build(base_model, manifest, tmp_path / "out", LAX)
    monkeypatch.setattr("asrd.quant.pipeline.quantize", greedy)
    plainer = replace(LAX, sensitivity=False)
    assert not _build(base_model, manifest, tmp_path / "out", plainer, resume=True).sensitivity
    assert ModelDirectory.open(tmp_path / "out").openvino("int8").is_file()


def test_a_full_disk_is_one_line(
    base_model: ModelDirectory, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(ModelError, match=r"No space left on device.*make room"):
        _build(base_model, manifest, tmp_path / "out", LAX)


def test_an_existing_directory_is_left_alone(base_model: ModelDirectory, manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        _build(base_model, manifest, tmp_path, Recipe())


@pytest.mark.slow
def test_the_command_says_what_it_does_and_what_it_costs(
    base_model: ModelDirectory, manifest: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (manifest.parent / "broken.wav").write_bytes(b"no audio")
    with manifest.open("a", encoding="utf-8") as lines:
        lines.write('\n{"audio": "broken.wav", "text": "utterance 7"}')
    command = ["quantize", "--model", str(base_model.path), "-o", str(out)]
    command += ["--dataset", str(manifest), "--calibration=2", "--validation=1", "--test=3", "--windows=4", "--fast"]
    refused = CliRunner().invoke(asrd, [*command, "--max-drop=1"])
    assert isinstance(refused.exception, NotGoodEnoughError)
    assert "this speech cannot tell" in str(refused.exception)
    assert not out.exists()
    done = CliRunner().invoke(asrd, [*command, "--max-drop=1", "--accept-uncertain", "--resume"])
    assert done.exit_code == 0, done.exception
    said = (
        "skipped broken.wav",
        "2 utterances to learn from",
        "upper case",
        "this will take about",
        "the model has no",
    )
    for words in said:
        assert words in done.stderr
    for words in ("WER", "CER", "torch", "fp16", "int8", "as asked", f"wrote {out}"):
        assert words in done.stdout
    again = CliRunner().invoke(asrd, [*command, "--test=9", f"--output={out}-9"])
    assert isinstance(again.exception, UsageError)
    assert "usable clips" in str(again.exception)

"""`asrd quantize`: a whole model directory or none, good enough or not written, the same each time."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asrd.backends import LoadOptions, load
from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory, runtime
from asrd.models import manifest as manifests
from asrd.models.convert import save
from asrd.quant.build import Recipe, Result, build
from asrd.quant.calibrate import calibration_windows
from asrd.quant.cpu import flags
from asrd.quant.data import dataset, split
from asrd.quant.graph import layers, select
from asrd.quant.quantize import QuantizationError, quantize, read_network


class Stages:
    """Counts the steps of each stage."""

    def __init__(self) -> None:
        self.steps: dict[str, list[int]] = {}

    def stage(self, name: str, steps: int) -> None:
        self.current = self.steps.setdefault(name, [steps, 0])

    def advance(self) -> None:
        self.current[1] += 1


def _build(model: ModelDirectory, data: Path, out: Path, recipe: Recipe, stages: Stages | None = None) -> Result:
    learn, test = split(dataset(str(data)), recipe.seed)
    return build(model, out, recipe, calibration=learn, validation=test, progress=stages or Stages())


@pytest.fixture
def windows(base_model: ModelDirectory, manifest: Path) -> FloatArray:
    return calibration_windows(base_model, dataset(str(manifest)), 4, seed=0)


def _compressed(network: object, path: Path) -> dict[str, str]:
    """Element type of each layer's stored weights, by label."""
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
    types = _compressed(quantize(network, windows, kept), tmp_path / "int8.xml")
    assert {label for label, kind in types.items() if kind != "i8"} == {layer.label for layer in kept}
    assert len(types) > len(kept)


@pytest.mark.slow
def test_the_same_input_gives_the_same_weights(base_model: ModelDirectory, windows: FloatArray, tmp_path: Path) -> None:
    for name in ("one.xml", "two.xml"):
        save(quantize(read_network(base_model), windows), tmp_path / name, compress=True)
    assert (tmp_path / "one.bin").read_bytes() == (tmp_path / "two.bin").read_bytes()


@pytest.mark.slow
def test_builds_a_model_that_serves(base_model: ModelDirectory, manifest: Path, tmp_path: Path) -> None:
    stages = Stages()
    out = tmp_path / "small-int8"
    result = _build(base_model, manifest, out, Recipe(keep_float=("front.0",), max_drop=1.0, calibration=2), stages)
    model = ModelDirectory.open(out)
    facts = _facts(out)
    assert facts["kept_in_floating_point"] == ["front.0"]
    assert facts["windows"] == 1  # what half of the data holds
    assert facts["measured"]["int8"]["wer"] == result.int8.wer
    assert result.int8_size < result.fp16_size
    for precision in ("fp16", "int8", "torch"):
        assert load(precision, model, LoadOptions(cache=False)).logits(np.zeros((1, MAX_WINDOW), np.float32)).any()
    assert stages.steps == {"calibrating": [2, 2], "measuring fp16": [3, 3], "measuring int8": [3, 3]}


def _facts(directory: Path) -> Any:
    assert manifests.verify(directory) == []
    return manifests.read(directory)["quantization"]


@pytest.mark.slow
def test_what_is_not_good_enough_is_not_written(base_model: ModelDirectory, manifest: Path, tmp_path: Path) -> None:
    # A bound no model can meet: better than FP16 by a whole point.
    with pytest.raises(QuantizationError, match="--keep-float") as caught:
        _build(base_model, manifest, tmp_path / "new" / "out", Recipe(max_drop=-1.0, calibration=1))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "new").iterdir()) == []


def test_an_existing_directory_is_left_alone(base_model: ModelDirectory, manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        _build(base_model, manifest, tmp_path, Recipe())


@pytest.mark.slow
def test_the_command_prints_what_it_costs(base_model: ModelDirectory, manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "asrd.cli.main", "quantize", "--model", str(base_model.path)]
    command += ["--dataset", str(manifest), "--calibration", "1", "-o", str(out)]
    done = subprocess.run(
        [*command, "--max-drop", "1"], env=os.environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, "")
    for words in ("WER", "CER", "fp16", "int8", "change", "upper case", "6 words of 3 utterances", f"wrote {out}"):
        assert words in done.stdout
    assert json.loads((out / "manifest.json").read_text())["quantization"]["seed"] == 0
    refused = subprocess.run(
        [*command, "--max-drop", "2"], env=os.environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert refused.returncode == 2


def test_cpu_flags_are_those_that_matter(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor : 0\nflags : fpu sse2 avx2 avx512_vnni\nbugs : amx_int8\n")
    assert flags(cpuinfo) == ["avx2", "avx512_vnni"]
    assert flags(tmp_path / "none") == []

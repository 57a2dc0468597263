"""The exported model repository holds the same network, under names, with settings that the servers know."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import pytest

from asrd.backends import load
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory

EXPORT = Path(__file__).parents[2] / "examples" / "serving" / "export_model.py"

KNOWN = {
    *("name", "base_path", "batch_size", "shape", "layout", "model_version_policy", "plugin_config", "nireq"),
    "target_device",
}
"""Settings of a model in OpenVINO Model Server's configuration; it refuses all others."""


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_what_is_exported(tmp_path: Path, tiny: ModelDirectory, babble: FloatArray, precision: str) -> None:
    subprocess.run([sys.executable, str(EXPORT), str(tiny.path), precision, str(tmp_path)], check=True)
    (entry,) = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["model_config_list"]
    assert set(entry) == {"config"}
    assert set(entry["config"]) <= KNOWN
    core, folder = openvino.Core(), Path(entry["config"]["base_path"])
    network = core.read_model(folder / "1" / "model.xml")
    assert network.input(0).get_names() == {"audio"}
    assert network.output(0).get_names() == {"logits"}
    assert network.input(0).get_partial_shape().to_string() == "[?,?]"
    compiled = core.compile_model(network, entry["config"]["target_device"], entry["config"]["plugin_config"])
    expected = load(precision, tiny).logits(babble[None])
    found = compiled.create_infer_request().infer({"audio": babble[None]})["logits"]
    if precision == "fp16":
        np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.mean(found.argmax(-1) == expected.argmax(-1)) > 0.95
    assert f'name: "{tiny.name}"' in (folder / "config.pbtxt").read_text(encoding="utf-8")
    assert f"dims: [ -1, -1, {len(tiny.vocabulary)} ]" in (folder / "config.pbtxt").read_text(encoding="utf-8")

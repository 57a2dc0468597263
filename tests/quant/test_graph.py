"""Layers are identified by what they do in the graph, for every kind of checkpoint."""

import json
import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest

from asrd.core.errors import ModelError, UsageError
from asrd.models import ModelDirectory
from asrd.quant.graph import layers, select
from asrd.quant.quantize import check_layers, read_network

PARTS = ["query", "key", "value", "out", "up", "down"]


@pytest.mark.parametrize("kind", ["bundled", "base_model", "lv60_model"])
def test_every_layer_is_found_once_in_order(kind: str, request: pytest.FixtureRequest) -> None:
    model: ModelDirectory = request.getfixturevalue(kind)
    config = json.loads((model.path / "config.json").read_text())
    labels = [layer.label for layer in layers(read_network(model))]
    blocks = range(config["num_hidden_layers"])
    expected = [f"front.{index}" for index in range(len(config["conv_kernel"]))]
    expected += ["projection", "position"]
    expected += [f"block.{block}.{part}" for block in blocks for part in PARTS]
    assert sorted(labels) == sorted([*expected, "head"])
    assert labels[0] == "front.0"
    assert labels[-1] == "head"


@pytest.mark.parametrize("kind", ["bundled", "base_model", "lv60_model"])
def test_labels_agree_with_the_names_of_the_checkpoint(kind: str, request: pytest.FixtureRequest) -> None:
    # This converter happens to keep the names of the modules, so they can be checked against.
    names = {
        "*conv_layers.*": "front.*",
        "*feature_projection*": "projection",
        "*pos_conv_embed*": "position",
        "*q_proj*": "*.query",
        "*k_proj*": "*.key",
        "*v_proj*": "*.value",
        "*out_proj*": "*.out",
        "*intermediate_dense*": "*.up",
        "*output_dense*": "*.down",
        "*lm_head*": "head",
    }
    found = layers(read_network(request.getfixturevalue(kind)))
    for pattern, label in names.items():
        matching = [layer for layer in found if fnmatch(layer.node, pattern)]
        assert matching
        assert all(fnmatch(layer.label, label) for layer in matching), pattern


def test_patterns_select_and_a_useless_one_is_refused(base_model: ModelDirectory) -> None:
    found = layers(read_network(base_model))
    assert [layer.label for layer in select(found, ["front.[12]", "head"])] == ["front.1", "front.2", "head"]
    assert select(found, []) == []
    with pytest.raises(UsageError, match=r"no layer matches 'conv\*'; there are: front\.\*, .*head$"):
        select(found, ["head", "conv*"])
    with pytest.raises(UsageError, match=r"no layer matches 'block\.0\.querry'; the nearest: block\.0\.query"):
        select(found, ["block.0.querry"])


def test_layers_are_checked_where_there_is_no_network_yet(base_model: ModelDirectory, tmp_path: Path) -> None:
    checkpoint = ModelDirectory.open(
        shutil.copytree(base_model.path, tmp_path / "plain", ignore=shutil.ignore_patterns("openvino"))
    )
    check_layers(checkpoint, ["front.*", "block.1.down"])
    with pytest.raises(UsageError, match=r"no layer matches 'block\.2\.\*'"):
        check_layers(checkpoint, ["block.2.*"])


def test_a_damaged_network_is_one_line(bundled: ModelDirectory, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundled.path, tmp_path / "copy"))
    (copy / "openvino" / "fp16.bin").write_bytes(bytes(1000))
    with pytest.raises(ModelError, match=r"cannot read the FP16 network \(.+\); see 'asrd model verify'") as caught:
        read_network(ModelDirectory.open(copy))
    assert "\n" not in str(caught.value)

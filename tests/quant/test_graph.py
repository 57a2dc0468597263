"""Layers are identified by what they do in the graph, for every kind of checkpoint."""

import json
import re
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from asrd.core.errors import ModelError, UsageError
from asrd.models import ModelDirectory
from asrd.quant.graph import in_floating_point, kept, layers, select
from asrd.quant.quantize import check_layers, read_network

PARTS = ["query", "key", "value", "out", "up", "down"]


@pytest.mark.parametrize("kind", ["bundled", "base_model", "lv60_model"])
def test_every_layer_is_found_once_in_order(kind: str, request: pytest.FixtureRequest) -> None:
    model: ModelDirectory = request.getfixturevalue(kind)
    config = json.loads((model.path / "config.json").read_text(encoding="utf-8"))
    labels = [layer.label for layer in layers(read_network(model))]
    blocks = range(config["num_hidden_layers"])
    expected = [f"front.{index}" for index in range(len(config["conv_kernel"]))]
    expected += ["projection", "position"]
    expected += [f"block.{block}.{part}" for block in blocks for part in PARTS]
    assert sorted(labels) == sorted([*expected, "head"])
    assert labels[0] == "front.0"
    assert labels[-1] == "head"


CONFORMER = ["first.up", "first.down", *PARTS[:3], "position", "out", "conv.in", "conv.depth", "conv.out", "up", "down"]
OTHERS = {
    "wavlm": (7, ["projection", "position"], ["position", *PARTS], []),
    "data2vec": (7, ["projection", "position.0", "position.1", "position.2"], PARTS, []),
    "sew": (13, ["projection", "position"], PARTS, ["upsample"]),
    "sew-d": (13, ["projection", "position"], [*PARTS, "position.0", "position.1"], ["upsample"]),
    "conformer-relative": (7, ["projection"], CONFORMER, []),
    "conformer-rotary": (7, ["projection"], [part for part in CONFORMER if part != "position"], []),
    "mms": (7, ["projection", "position"], [*PARTS, "adapter.down", "adapter.up"], []),
}
"""Of each kind: how many convolutions its front end has, and the layers before, in and after its blocks."""


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.slow) for kind in OTHERS])
def test_layers_of_other_families(family: Callable[[str], ModelDirectory], kind: str) -> None:
    model = family(kind)
    front, before, parts, after = OTHERS[kind]
    expected = [f"front.{index}" for index in range(front)] + before + after
    expected += [f"block.{block}.{part}" for block in range(2) for part in parts]
    for network in (read_network(model), read_network(model, "int8")):  # quantization puts more between the layers
        found = layers(network)
        assert sorted(layer.label for layer in found) == sorted([*expected, "head"])
        assert [layer.label for layer in select(found, ["front.*"])] == expected[:front]
    assert in_floating_point(network) == kept(network, [])


NAMES = {
    "*conv_layers.*": "front.*",
    "*feature_projection*": "projection",
    "*pos_conv_embed*": "position*",
    "*gru_rel_pos_linear*": "block.?.position",
    "*linear_pos*": "block.?.position",
    "*[._]q_proj*": "*.query",
    "*[._]k_proj*": "*.key",
    "*[._]v_proj*": "*.value",
    "*query_proj*": "*.query",
    "*key_proj*": "*.key",
    "*value_proj*": "*.value",
    "*out_proj*": "*.out",
    "*linear_q*": "*.query",
    "*linear_k*": "*.key",
    "*linear_v*": "*.value",
    "*linear_out*": "*.out",
    "*attention.output.dense*": "*.out",
    "*ffn1.intermediate_dense*": "*.first.up",
    "*ffn1.output_dense*": "*.first.down",
    "*feed_forward.intermediate_dense*": "*.up",
    "*feed_forward.output_dense*": "*.down",
    "*ffn2.intermediate_dense*": "block.?.up",
    "*ffn2.output_dense*": "block.?.down",
    "*pointwise_conv1*": "*.conv.in",
    "*depthwise_conv*": "*.conv.depth",
    "*pointwise_conv2*": "*.conv.out",
    "*adapter_layer.linear_1*": "*.adapter.down",
    "*adapter_layer.linear_2*": "*.adapter.up",
    "*upsample.projection*": "upsample",
    "*lm_head*": "head",
}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.slow) for kind in OTHERS])
def test_labels_of_other_families_agree_with_the_names_of_the_checkpoint(
    family: Callable[[str], ModelDirectory], kind: str
) -> None:
    said = 0
    for layer in layers(read_network(family(kind))):
        labels = [label for pattern, label in NAMES.items() if fnmatch(layer.node, pattern)]
        assert all(fnmatch(layer.label, label) for label in labels), layer
        if labels and layer.label.startswith("block"):
            assert re.search(rf"\.layers?\.{layer.label[6]}\.", layer.node), layer
        said += bool(labels)
    assert said > 12


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

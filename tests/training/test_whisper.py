"""Whisper's encoder is read the same from every form it is published in."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from asrd.core.errors import ModelError, UsageError
from asrd.training.whisper import Weights, find, load
from tests.training.conftest import BLOCKS, WIDTH

Names = dict[str, str]

OPENAI = {"attention_norm": "attn_ln", "out": "attn.out", "feed_norm": "mlp_ln", "up": "mlp.0", "down": "mlp.2"}
TRANSFORMERS = {
    "attention_norm": "self_attn_layer_norm",
    "out": "self_attn.out_proj",
    "feed_norm": "final_layer_norm",
    "up": "fc1",
    "down": "fc2",
}
CTRANSLATE2 = {
    "attention_norm": "self_attention.layer_norm",
    "out": "self_attention.linear_1",
    "feed_norm": "ffn.layer_norm",
    "up": "ffn.linear_0",
    "down": "ffn.linear_1",
}


def named(whisper: Weights, block: str, layers: Names, norm: str, qkv: list[str]) -> Weights:
    """Return the weights under the names of one form; queries, keys and values apart where `qkv` has three names."""
    found = {}
    for name, weight in whisper.items():
        layer, _, kind = name.rpartition(".")
        if not layer.startswith("blocks."):
            found[f"encoder.{norm if layer == 'norm' else layer}.{kind}"] = weight
            continue
        _, number, inner = layer.split(".")
        names = qkv if inner == "qkv" else [layers[inner]]
        for part, value in zip(names, weight.chunk(len(names)), strict=True):
            found[f"{block.format(number)}.{part}.{kind}"] = value.clone()
    return found


def openai(whisper: Weights, folder: Path) -> Path:
    stored = named(whisper, "encoder.blocks.{}", OPENAI, "ln_post", ["attn.query", "attn.key", "attn.value"])
    stored = {name: weight for name, weight in stored.items() if not name.endswith("attn.key.bias")}
    torch.save({"dims": {}, "model_state_dict": stored}, folder / "tiny.pt")
    return folder / "tiny.pt"


def transformers(whisper: Weights, folder: Path) -> Path:
    parts = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
    stored = named(whisper, "encoder.layers.{}", TRANSFORMERS, "layer_norm", parts)
    stored = {f"model.{name}": weight for name, weight in stored.items() if not name.endswith("k_proj.bias")}
    save_file(stored, folder / "model.safetensors")
    return folder


def ctranslate2(whisper: Weights, folder: Path) -> Path:
    """Write a file with one matrix in 8 bits, as CTranslate2 stores it."""
    stored = named(whisper, "encoder.layer_{}", CTRANSLATE2, "layer_norm", ["self_attention.linear_0"])
    variables: dict[str, np.ndarray] = {}
    for name, weight in stored.items():
        place = name.replace(".", "/")
        if "norm" in place:
            place = place.replace("/weight", "/gamma").replace("/bias", "/beta")
        variables[place] = weight.numpy()
    matrix = "encoder/layer_0/ffn/linear_0/weight"
    scale = 127 / np.abs(variables[matrix]).max(1)
    variables[matrix] = np.round(variables[matrix] * scale[:, None]).astype(np.int8)
    variables[f"{matrix}_scale"] = scale.astype(np.float32)
    kinds = [np.float32, np.int8]
    content = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, value in variables.items():
        content += text(name) + struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)
        content += struct.pack("<BI", kinds.index(value.dtype.type), value.nbytes) + value.tobytes()
    (folder / "model.bin").write_bytes(content)
    return folder


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


@pytest.mark.parametrize("write", [openai, transformers, ctranslate2])
def test_every_form_gives_the_same_weights(
    write: Callable[[Weights, Path], Path], whisper: Weights, tmp_path: Path
) -> None:
    found = load(str(write(whisper, tmp_path)))
    assert found.keys() == whisper.keys()
    assert len([name for name in found if name.endswith("qkv.weight")]) == BLOCKS
    for name, weight in whisper.items():
        assert found[name].dtype == torch.float32
        rounded = write is ctranslate2 and name == "blocks.0.up.weight"
        assert torch.allclose(found[name], weight, atol=0.01 if rounded else 0.0), name


def test_what_is_no_encoder_is_one_line(whisper: Weights, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no Whisper encoder 'whisper-tinny\.en'.*whisper-tiny\.en"):
        find("whisper-tinny.en")
    with pytest.raises(UsageError, match=r"neither model\.bin nor model\.safetensors"):
        find(str(tmp_path))
    path = ctranslate2(whisper, tmp_path) / "model.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match="not a CTranslate2 model"):
        load(str(path))
    (tmp_path / "other.pt").write_bytes(b"PK")
    with pytest.raises(ModelError, match="not a model of openai-whisper"):
        load(str(tmp_path / "other.pt"))
    save_file({"encoder.conv1.weight": torch.zeros(WIDTH, 80, 3)}, tmp_path / "part.safetensors")
    with pytest.raises(ModelError, match=r"lacks encoder\.conv1\.bias"):
        load(str(tmp_path / "part.safetensors"))

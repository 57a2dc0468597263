"""Small checkpoints of every family, with seeded random weights, made through transformers itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from asrd.models.convert import convert, save
from asrd.quant.graph import kept
from asrd.quant.quantize import quantize, read_network
from asrd.quant.recipe import Recipe

LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]

_LAYER_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
_SQUEEZING = {"conv_dim": (16,) * 13}

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "base": ("Wav2Vec2", {"feat_extract_norm": "group", "do_stable_layer_norm": False, "conv_bias": False}),
    "lv60": ("Wav2Vec2", _LAYER_NORM),
    "hubert": ("Hubert", {}),
    "wavlm": ("WavLM", {}),
    "wavlm-large": ("WavLM", _LAYER_NORM),
    "data2vec": ("Data2VecAudio", {"num_conv_pos_embeddings": 3}),
    "unispeech": ("UniSpeech", {}),
    "unispeech-sat": ("UniSpeechSat", {}),
    "sew": ("SEW", _SQUEEZING),
    "sew-d": ("SEWD", _SQUEEZING),
    "conformer-relative": ("Wav2Vec2Conformer", {"position_embeddings_type": "relative"}),
    "conformer-rotary": ("Wav2Vec2Conformer", {"position_embeddings_type": "rotary"}),
    "mms": ("Wav2Vec2", {**_LAYER_NORM, "adapter_attn_dim": 8}),
}
"""transformers' name of each kind's classes, and how its configuration differs from the defaults, apart from size.

base and lv60 are as wav2vec2-base-960h and wav2vec2-large-960h-lv60-self. All have a receptive field of 400 samples and
a stride of 320.
"""

FAMILIES = ("hubert", "wavlm", "data2vec", "unispeech", "unispeech-sat", "sew", "sew-d", "conformer-relative")
"""One kind of each family besides wav2vec2."""


def random_model(path: Path, kind: str, **settings: object) -> ModelDirectory:
    """Write a checkpoint of a kind, and its FP16 model. settings: others of its configuration."""
    write(path, kind, **settings)
    model = ModelDirectory.open(path)
    convert(model)
    return model


def write(path: Path, kind: str, **settings: object) -> None:
    """Write a checkpoint of a kind."""
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    name, differences = KINDS[kind]
    sizes = {
        "vocab_size": len(LETTERS),
        "conv_dim": (32,) * 7,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 4,
    }
    config = getattr(transformers, f"{name}Config")(**{**sizes, **differences, **settings})
    path.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(len(kind))
        network = getattr(transformers, f"{name}ForCTC")(config).eval()
        torch.nn.init.normal_(network.lm_head.weight, std=0.2)  # larger than usual, or all frames look alike
        network.lm_head.bias.data[1:4] = -100.0  # nor does a trained model say <s>, </s> or <unk>
    network.save_pretrained(path)
    vocabulary = path / "vocab.json"
    vocabulary.write_text(json.dumps({letter: index for index, letter in enumerate(LETTERS)}), encoding="utf-8")
    transformers.Wav2Vec2Processor(
        transformers.Wav2Vec2FeatureExtractor(return_attention_mask=differences.get("feat_extract_norm") == "layer"),
        transformers.Wav2Vec2CTCTokenizer(vocabulary),
    ).save_pretrained(path)


def quantized(path: Path, kind: str) -> ModelDirectory:
    """Write a checkpoint of a kind, its FP16 model, and an INT8 model that is quantized on random windows."""
    model = random_model(path, kind)
    windows = np.random.default_rng(5).standard_normal((2, MAX_WINDOW)).astype(np.float32)
    network = read_network(model)
    int8, _ = quantize(network, windows, Recipe(fast=True), keep_float=kept(network, []))
    save(int8, model.openvino("int8"), compress=True)
    return model

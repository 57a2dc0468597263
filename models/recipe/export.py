"""From a trained network to a model directory that asrd and transformers read."""

import json
from pathlib import Path
from typing import Any

import torch

from asrd.models import ModelDirectory
from asrd.models.recipe.vocabulary import LABELS


def export(model: Any, path: Path) -> ModelDirectory:
    """Write a Wav2Vec2ForCTC, its weights in 16 bits, with its vocabulary and how it wants its input."""
    from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2Processor

    path.mkdir(parents=True, exist_ok=True)
    (path / "vocab.json").write_text(
        json.dumps({label: index for index, label in enumerate(LABELS)}, indent=2), "utf-8"
    )
    tokenizer = Wav2Vec2CTCTokenizer(str(path / "vocab.json"))
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    Wav2Vec2Processor(extractor, tokenizer).save_pretrained(path)
    extractor.save_pretrained(path)
    model.config.apply_spec_augment = False
    model.to(torch.float16).save_pretrained(path)
    model.to(torch.float32)
    return ModelDirectory.open(path)

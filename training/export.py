"""Export a trained network to a model directory that asrd and transformers read."""

import json
from pathlib import Path
from typing import Any

import torch

from asrd.models import ModelDirectory
from asrd.training.vocabulary import LABELS


def export(model: Any, path: Path) -> ModelDirectory:
    """Write a Wav2Vec2ForCTC with its weights in 16 bits, its vocabulary and its preprocessing.

    The configuration says float32, so that transformers computes in it, whatever type the weights are stored in.
    float16 is not enough for the front end, whose constants are large.
    """
    from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2Processor, logging

    logging.disable_progress_bar()
    path.mkdir(parents=True, exist_ok=True)
    (path / "vocab.json").write_text(
        json.dumps({label: index for index, label in enumerate(LABELS)}, indent=2), encoding="utf-8"
    )
    tokenizer = Wav2Vec2CTCTokenizer(str(path / "vocab.json"))
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    Wav2Vec2Processor(extractor, tokenizer).save_pretrained(path)
    extractor.save_pretrained(path)
    model.config.apply_spec_augment = False
    model.to(torch.float16).save_pretrained(path)
    model.to(torch.float32)
    settings = json.loads((path / "config.json").read_text(encoding="utf-8"))
    settings.pop("torch_dtype", None)
    (path / "config.json").write_text(json.dumps(settings | {"dtype": "float32"}, indent=2) + "\n", encoding="utf-8")
    return ModelDirectory.open(path)

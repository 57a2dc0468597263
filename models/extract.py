"""Take one language out of a checkpoint of several: a directory that is a whole checkpoint of its own."""

import json
import shutil
from pathlib import Path

from asrd.models import manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.directory import ModelDirectory
from asrd.models.files import read_object, writing

_COPIED = ("preprocessor_config.json", "processor_config.json", "special_tokens_map.json")


def extracted(model: ModelDirectory) -> ModelDirectory:
    """Return a model of one language: the model itself, or its neighbour `DIR@LANGUAGE`, which is written unless it is
    there.

    Raises MissingExtraError without torch, ModelError if the checkpoint cannot be loaded or its neighbour cannot be
    written.
    """
    if not model.language:
        return model
    if not (model.single / "config.json").is_file():
        draft = model.single.with_name(f".{model.single.name}.partial")
        with writing(model.single):
            shutil.rmtree(draft, ignore_errors=True)
            extract(model, draft)
            draft.rename(model.single)
    return ModelDirectory.open(model.single)


def extract(model: ModelDirectory, path: Path) -> None:
    """Write the model's language to the directory `path`: weights with the adapter in them, a plain vocabulary, and a
    manifest that says where they came from.
    """
    network = load_checkpoint(model)
    from safetensors import SafetensorError

    with writing(path, SafetensorError):
        path.mkdir(exist_ok=True)
        network.save_pretrained(path)
        describe(model, path)
    earlier = manifest.read(model.path) if (model.path / manifest.NAME).is_file() else {}
    manifest.write(path, source={**earlier.get("source", {}), "language": model.language})


def describe(model: ModelDirectory, path: Path) -> None:
    """Write the tokenizer and the feature extractor of the model's language to the directory `path`."""
    for name in _COPIED:
        if (model.path / name).is_file():
            shutil.copyfile(model.path / name, path / name)
    letters = read_object(model.path / "vocab.json")[model.language]
    (path / "vocab.json").write_text(json.dumps(letters, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    settings = model.path / "tokenizer_config.json"
    if settings.is_file():
        # What was added to the tokenizer is numbered behind the letters of the language that it was saved with.
        content = read_object(settings) | {"target_lang": None, "added_tokens_decoder": {}}
        (path / settings.name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

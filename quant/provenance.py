"""What an INT8 model is built from, and with."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asrd.models import ModelDirectory, manifest
from asrd.quant.data import Clip, fingerprint
from asrd.quant.recipe import Recipe
from asrd.quant.split import Split

NEUTRAL = ("sensitivity", "workers")
"""Of a recipe: what says nothing of the model that it makes."""


def identity(source: ModelDirectory, recipe: Recipe, split: Split) -> dict[str, Any]:
    """What must not change between an interrupted run and the one that takes it up."""
    return {
        "recipe": {name: value for name, value in recipe.plain().items() if name not in NEUTRAL},
        "model": built_from(source),
        "data": {name: fingerprint(clips) for name, clips in parts(split).items()},
        "versions": versions(),
    }


def parts(split: Split) -> dict[str, Sequence[Clip]]:
    """The three sets by name."""
    return {"calibration": split.calibration, "validation": split.validation, "test": split.test}


def versions() -> dict[str, str]:
    """Of what decides the bytes of the result."""
    names = ("asrd", "nncf", "openvino", "torch", "transformers", "numpy")
    return {name: version(name) for name in names}


def built_from(source: ModelDirectory) -> dict[str, str]:
    """SHA-256 of the checkpoint's own files, and of its FP16 network, which is taken as it is where there is one."""
    network = source.openvino("fp16")
    there = [file for file in (network, network.with_suffix(".bin")) if file.is_file()]
    return hashes(source.path) | {file.relative_to(source.path).as_posix(): manifest.sha256(file) for file in there}


def hashes(path: Path) -> dict[str, str]:
    """SHA-256 of the checkpoint's own files."""
    files = [file for file in path.iterdir() if file.suffix in (".json", ".safetensors", ".bin")]
    return {file.name: manifest.sha256(file) for file in sorted(files) if file.name != manifest.NAME}

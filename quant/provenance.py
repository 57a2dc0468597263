"""Provenance of an INT8 model: what it is built from, and with which versions."""

from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from asrd.core.cpu import flags
from asrd.models import ModelDirectory, manifest
from asrd.models.languages import adapter
from asrd.quant.data import Clip, fingerprint
from asrd.quant.recipe import Recipe
from asrd.quant.split import Split

STEERING = ("metric", "max_drop", "drop_type", "fast", "ranking_subset", "iterations", "arithmetic")
"""Fields of a recipe that decide which layers go back to floating point."""

NEUTRAL = (*STEERING, "sensitivity", "workers", "accept_uncertain", "test", "test_dataset")
"""Fields of a recipe that may change when a run is resumed: what was computed before can still be used."""

COMPUTING = (
    *("asrd", "nncf", "openvino", "torch", "transformers", "numpy", "jiwer", "datasets"),
    *("webrtcvad-wheels", "soundfile", "soxr"),
)
"""Packages that decide the bytes of the result, or its figures."""


def identity(source: ModelDirectory, recipe: Recipe, split: Split) -> dict[str, Any]:
    """Return what must not change between an interrupted run and the one that resumes it."""
    return {
        "recipe": {name: value for name, value in recipe.plain().items() if name not in NEUTRAL},
        "model": built_from(source),
        "data": {name: fingerprint(clips) for name, clips in parts(split).items() if name != "test"},
        "processor": flags(),
        "versions": versions(),
    }


def steering(recipe: Recipe) -> dict[str, Any]:
    """Return what decides, beside `identity`, which layers are in 8 bits."""
    plain = recipe.plain()
    return {name: plain[name] for name in STEERING}


def parts(split: Split) -> dict[str, Sequence[Clip]]:
    """Return the three sets by name."""
    return {"calibration": split.calibration, "validation": split.validation, "test": split.test}


def versions() -> dict[str, str]:
    """Return the versions of those of `COMPUTING` that are installed."""
    found = {}
    for name in COMPUTING:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def built_from(source: ModelDirectory) -> dict[str, str]:
    """Return the SHA-256 of the checkpoint's own files, and of its FP16 network, which is used as it is if there is
    one.
    """
    network = source.openvino("fp16")
    there = [file for file in (network, network.with_suffix(".bin")) if file.is_file()]
    return hashes(source) | {file.relative_to(source.single).as_posix(): manifest.sha256(file) for file in there}


def hashes(source: ModelDirectory) -> dict[str, str]:
    """Return the SHA-256 of the checkpoint's own files, of its language if it has several."""
    files = [file for file in source.path.iterdir() if file.suffix in (".json", ".safetensors", ".bin")]
    others = {manifest.NAME, *(path.name for path in source.path.glob(adapter("*")) if path != source.adapter)}
    return {file.name: manifest.sha256(file) for file in sorted(files) if file.name not in others}

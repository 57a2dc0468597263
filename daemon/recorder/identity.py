"""What a replay must find again to give the same bits: the model's files and the machine's arithmetic."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from asrd.core.cpu import flags
from asrd.models.manifest import sha256

LIBRARIES = ("asrd", "numpy", "openvino", "torch", "transformers", "webrtcvad-wheels", "silero-vad", "soxr")

MAX_NAME = 4096
"""Characters of the longest path on Linux."""

DECIDING = {".json", ".xml", ".bin", ".safetensors"}
"""Suffixes of the files of a model that decide what it answers; manifests and reports do not."""


def environment() -> dict[str, str]:
    """Versions of what computes, and the processor."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "cpu": " ".join(flags())}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def named(options: Any) -> dict[str, str]:
    """SHA-256 of each file that is named in options, plain or nested: a language model, say."""
    match options:
        case dict():
            return {name: digest for value in options.values() for name, digest in named(value).items()}
        case str() if options and len(options) < MAX_NAME and Path(options).is_file():
            return {options: sha256(Path(options))}
    return {}


@cache
def files(model: Path) -> dict[str, str]:
    """SHA-256 of each deciding file of a model directory, by its name there. Takes seconds a gigabyte."""
    paths = (path for path in sorted(model.rglob("*")) if path.suffix in DECIDING and path.is_file())
    names = {path.relative_to(model).as_posix(): path for path in paths if path.name != "manifest.json"}
    return {name: sha256(path) for name, path in names.items() if not name.startswith(".")}

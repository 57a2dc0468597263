"""Identify what a replay needs to give the same bits: the model's files and the machine's arithmetic."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from asrd.core.cpu import flags
from asrd.daemon.recorder.form import RecordedOptions
from asrd.models.manifest import sha256

LIBRARIES = ("asrd", "numpy", "openvino", "torch", "transformers", "webrtcvad-wheels", "silero-vad", "soxr", "text2num")

MAX_NAME = 4096
"""Length of the longest path on Linux, in characters."""

DECIDING = {".json", ".xml", ".bin", ".safetensors"}
"""Suffixes of the model's files that determine its results; manifests and reports do not."""


def environment() -> dict[str, str]:
    """Return the versions of the libraries that compute, and the processor."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "cpu": " ".join(flags())}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def named(options: RecordedOptions | None) -> dict[str, str]:
    """Return the SHA-256 of each file named in options, such as a language model."""
    return _named(msgspec.to_builtins(options))


def _named(value: Any) -> dict[str, str]:
    match value:
        case dict():
            return {name: digest for item in value.values() for name, digest in _named(item).items()}
        case str() if value and len(value) < MAX_NAME and Path(value).is_file():
            return {value: sha256(Path(value))}
    return {}


@cache
def files(model: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a model directory that determines its results, by its name there. Takes
    seconds per gigabyte.
    """
    paths = (path for path in sorted(model.rglob("*")) if path.suffix in DECIDING and path.is_file())
    names = {path.relative_to(model).as_posix(): path for path in paths if path.name != "manifest.json"}
    return {name: sha256(path) for name, path in names.items() if not name.startswith(".")}

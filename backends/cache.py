"""The cache of compiled models, kept for the next start."""

import os
import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from asrd.core import home

LIMIT = 2 << 30
"""Bytes kept in all: some ten models of 100 million weights. OpenVINO itself never removes any."""


def compiled(model: Path) -> Path | None:
    """Return a directory for what `model`, an OpenVINO `.xml`, compiles to; None if nothing can be kept.

    The least recently used directories of other models are removed when all take more than `LIMIT`.
    """
    root = home.cache() / "openvino"
    directory = root / sha256(model.read_bytes()).hexdigest()[:16]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        os.utime(directory)
        _prune(root, directory)
    except OSError:  # a read-only home costs the next start some seconds, no more
        return None
    return directory


def _prune(root: Path, keep: Path) -> None:
    entries = sorted((entry for entry in root.iterdir() if entry != keep), key=_used, reverse=True)
    total = _size(keep)
    for entry in entries:
        total += _size(entry)
        if total > LIMIT:
            with suppress(OSError):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _used(entry: Path) -> float:
    """Return the time of last use, in Unix seconds; 0 if another process has just removed the entry."""
    with suppress(OSError):
        return entry.stat().st_mtime
    return 0.0


def _size(entry: Path) -> int:
    total = 0
    for path in (entry, *entry.rglob("*")):
        with suppress(OSError):
            total += path.stat().st_size
    return total

"""The directory that a run works in, until it is good enough to be the output."""

import shutil
from pathlib import Path

from asrd.models import ModelDirectory, manifest


def draft_of(out: Path) -> Path:
    """Where an unfinished run keeps its files."""
    return out.with_name(f".{out.name}.partial")


def copy_checkpoint(source: ModelDirectory, path: Path) -> ModelDirectory:
    """The source's files in another directory, without what quantization makes."""
    leave = shutil.ignore_patterns("int8.*", manifest.NAME, "README.md", "report.html", ".*")
    shutil.copytree(source.path, path, ignore=leave, dirs_exist_ok=True)
    return ModelDirectory.open(path)

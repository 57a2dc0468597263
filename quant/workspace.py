"""Working directory of a run, until it is good enough to be the output."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asrd.core.errors import ModelError, UsageError
from asrd.models import ModelDirectory, manifest
from asrd.models.extract import extract
from asrd.models.files import writing

TEXTS = "proof.jsonl"
"""File of a model directory: what each backend heard of each utterance it was proved on, one per line."""


def draft_of(out: Path) -> Path:
    """Return the directory of an unfinished run."""
    return out.with_name(f".{out.name}.partial")


def check_output(out: Path, left: str | None = None) -> None:
    """Raise UsageError if `out` exists, or if no interrupted run left the file `left` to resume from; ModelError if
    `out` cannot be written.
    """
    if out.exists():
        raise UsageError(f"{out} exists already; give a new directory, or remove it first")
    place = next(parent for parent in out.absolute().parents if os.access(parent, os.F_OK))
    if not os.access(place, os.W_OK):
        raise ModelError(f"{out} cannot be written: {place} is not yours to write; choose another place")
    if left and not (draft_of(out) / left).is_file():
        raise UsageError(f"there is no interrupted run to resume for {out}; leave --resume out")


@contextmanager
def drafting(out: Path, left: str, *, resume: bool) -> Iterator[Path]:
    """Yield the draft to work in, which becomes `out` when all is done; until then an interrupted run can be resumed.

    left: the file in it that says how far a run came, and is not part of the output. Raises what `check_output`
    raises, ModelError if space or permission to write is missing.
    """
    check_output(out, left if resume else None)
    draft = draft_of(out)
    with writing(out):
        if draft.exists() and not resume:
            shutil.rmtree(draft)
        draft.mkdir(parents=True, exist_ok=True)
        yield draft
        (draft / left).unlink()
        draft.replace(out)


def copy_checkpoint(source: ModelDirectory, path: Path) -> ModelDirectory:
    """Copy the source's files, or its language if it has several, to another directory, without what quantization
    makes.

    Raises ModelError if one cannot be copied.
    """
    if source.language:
        extract(source, path)
        return ModelDirectory.open(path)

    def copy(file: str, to: str) -> None:
        try:
            shutil.copy2(file, to)
        except OSError as error:  # `copytree` would collect such errors into one without a message of its own
            raise ModelError(f"{file} cannot be copied to {to} ({error.strerror}); make room for it") from error

    leave = shutil.ignore_patterns("int8.*", manifest.NAME, "README.md", "report.html", TEXTS, ".*")
    shutil.copytree(source.path, path, ignore=leave, copy_function=copy, dirs_exist_ok=True)
    return ModelDirectory.open(path)

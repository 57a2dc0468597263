"""Data sets in a directory: which form has it?"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from asrd.core.errors import AudioError, UsageError, reason
from asrd.quant.data import beside, hub, kaldi, table
from asrd.quant.data.clip import Clip

TABLES = ("metadata.csv", "metadata.jsonl", "metadata.tsv")
"""Tables that are taken before others."""

SPLITS = re.compile(r"(?<![a-z])(train(ing)?|val(id(ation)?)?|dev|test(ing)?|eval(uation)?)(?![a-z])")
"""Matches in names of directories that are never read together: what is measured must not be what was learned."""

Form = Callable[[], list[Clip]]
"""Lists the clips of a directory whose form is known."""


def clips(path: Path) -> list[Clip]:
    """List the clips of a directory.

    It is LibriSpeech's tree, or has a form of its own (see `_form`), or holds Parquet files; or directories below have
    such a form; or there are pairs of audio and `.txt`. The names of clips below are relative to the directory.
    Raises UsageError if it is none of these, or if one of several tables or splits must be chosen; AudioError if a list
    cannot be read.
    """
    try:
        return _listed(path)
    except OSError as error:
        raise AudioError(f"{path} cannot be read ({reason(error)}); check whose it is") from error


def _listed(path: Path) -> list[Clip]:
    if listed := beside.chapters(path):
        return listed
    if form := _form(path):
        return form()
    if any(path.rglob("*.parquet")):
        return hub.local(path)
    if below := list(_below(path)):
        return _together(path, below)
    if listed := beside.pairs(path):
        return listed
    if tables := _tables(path):
        return table.clips(tables[0])  # raises, and says what it lacks
    raise UsageError(
        f"{path} lists no speech: it has no table (metadata.csv, validated.tsv, …), no *.trans.txt (LibriSpeech), no "
        f"{kaldi.MARK} (Kaldi), no Parquet and no .txt beside its audio"
    )


def _form(path: Path) -> Form | None:
    """Return how to list a directory that is itself marked as a data set: as one saved by `datasets`, as Kaldi's, or by
    tables with audio and transcripts. Raises UsageError if there are several such tables, none of them `metadata`.
    """
    if any((path / mark).is_file() for mark in hub.SAVED):
        return partial(hub.local, path)
    if (path / kaldi.MARK).is_file():
        return partial(kaldi.clips, path)
    if first := next((path / name for name in TABLES if (path / name).is_file()), None):
        return partial(table.clips, first)
    if speech := [one for one in _tables(path) if table.lists_speech(one)]:
        return partial(table.clips, _only(path, "tables", speech))
    return None


def _tables(path: Path) -> list[Path]:
    return sorted(
        one for one in path.iterdir() if one.suffix in table.SUFFIXES and one.name[0] != "." and one.is_file()
    )


def _below(path: Path) -> Iterator[tuple[Path, Form]]:
    """Yield the topmost directories below that have a form, in order of their names."""
    for folder, names, _ in os.walk(path):
        names[:] = sorted(name for name in names if name[0] != ".")
        for name in [*names]:
            if form := _form(Path(folder, name)):
                names.remove(name)
                yield Path(folder, name), form


def _together(path: Path, below: Sequence[tuple[Path, Form]]) -> list[Clip]:
    """List the clips of directories below. Raises UsageError if there are several and they are splits."""
    folders = [folder for folder, _ in below]
    if any(SPLITS.search(folder.relative_to(path).as_posix().casefold()) for folder in folders):
        _only(path, "splits", folders)
    named = [(folder.relative_to(path).as_posix(), form) for folder, form in below]
    return [replace(clip, id=f"{name}/{clip.id}") for name, form in named for clip in form()]


def _only(path: Path, what: str, found: Iterable[Path]) -> Path:
    """Return the only one of the paths. Raises UsageError if there are others."""
    first, *others = found
    if others:
        names = ", ".join(one.relative_to(path).as_posix() for one in (first, *others))
        raise UsageError(f"{path} has the {what} {names}; give one of them, such as {first}")
    return first

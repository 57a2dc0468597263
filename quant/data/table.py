"""Tables of clips: JSON lines, and fields with a separator between."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asrd.core.errors import AudioError
from asrd.quant.data import columns, fields, lines
from asrd.quant.data.audio import found, is_file
from asrd.quant.data.clip import Clip

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json")
"""Suffixes of the tables that are looked for in a directory. A file that is named may have any."""


def clips(path: Path) -> list[Clip]:
    """List the clips of a table; audio is named relative to it. A clip has the name that the table gives its audio.

    A row that names no audio, and a line that is no JSON, are clips that say so.
    Raises AudioError if the table cannot be read or is malformed, or if no row in it is sound.
    """
    text = lines.text(path)
    is_json = _is_json(path, text)
    rows = lines.objects(text) if is_json else fields.rows(path, text, _layout(path, text))
    listed = [_clip(path, number, row) for number, row in rows]
    if not listed:
        need = f"needs lines like {lines.EXAMPLE}" if is_json else "has a header alone; add rows"
        raise AudioError(f"{path} lists no utterances; it {need}")
    if all(clip.fault for clip in listed):
        raise AudioError(f"{path.parent / listed[0].id} {listed[0].fault}")
    return listed


def lists_speech(path: Path) -> bool:
    """Tell if a table has audio and transcripts. Data sets have others, of lengths for instance."""
    try:
        text = lines.text(path)
        if _is_json(path, text):
            return any(isinstance(row, dict) and not columns.lacking(row) for _, row in lines.objects(text))
        return bool(_layout(path, text))
    except AudioError:
        return False


def _layout(path: Path, text: str) -> fields.Layout:
    return fields.layout(path, text, lambda name: is_file(found(path.parent, name)))


def _is_json(path: Path, text: str) -> bool:
    """Tell JSON lines by their first letter where the name does not: NeMo's are called .json."""
    return path.suffix == ".jsonl" or text.lstrip()[:1] in {"{", "["}


def _clip(path: Path, number: int, row: Mapping[str, Any] | str) -> Clip:
    """Return the clip of a row, or of what is wrong with it."""
    where = f"{path.name}, line {number}"
    try:
        if isinstance(row, str):
            raise ValueError(row)
        if lack := columns.lacking(row):
            raise ValueError(f"has {lack}")
        if not (name := columns.value(row, columns.AUDIO)) or "\0" in name:
            raise ValueError("names no audio")
        audio, span = found(path.parent, name), columns.span(row)
        text, who = columns.value(row, columns.TRANSCRIPTS), columns.speaker(columns.value(row, columns.SPEAKERS))
    except ValueError as error:
        return Clip(where, "", path, fault=str(error))
    named = (path.parent / name).as_posix().removeprefix(f"{path.parent.as_posix()}/")
    cut = "" if span == columns.WHOLE else f"@{span[0]:.3f}-{span[1]:.3f}"
    return Clip(named + cut, text, audio, who, span, where)

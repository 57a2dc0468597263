"""Data sets in a directory: LibriSpeech's tree, and audiofolders."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asrd.core.errors import AudioError, UsageError
from asrd.quant.data.clip import Clip
from asrd.quant.data.columns import speaker, transcript

SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")
"""Suffixes of LibriSpeech's audio, which is FLAC as published."""


def clips(path: Path) -> list[Clip]:
    """List the clips of a directory.

    LibriSpeech: `SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`, at any depth, lists the clips beside it, one
    `SPEAKER-CHAPTER-NUMBER TEXT` per line. Audiofolder: `metadata.csv` or `metadata.jsonl` has a `file_name` and a
    transcript per row.
    Raises UsageError if there is no such list, AudioError if one cannot be read.
    """
    if lists := sorted(path.rglob("*.trans.txt")):
        return [clip for transcripts in lists for clip in _chapter(transcripts)]
    for name, rows in (("metadata.csv", _table), ("metadata.jsonl", _objects)):
        if (path / name).is_file():
            return [_row(path, row) for row in rows(path / name)]
    raise UsageError(f"{path} lists no speech: it has no *.trans.txt (LibriSpeech) and no metadata.csv (audiofolder)")


def _chapter(transcripts: Path) -> Iterator[Clip]:
    """Yield the clips of a chapter. Missing audio is found out when it is read."""
    for line in _text(transcripts).splitlines():
        name, _, text = line.strip().partition(" ")
        if name:
            files = (transcripts.with_name(name + suffix) for suffix in SUFFIXES)
            audio = next((file for file in files if file.is_file()), transcripts.with_name(name + SUFFIXES[0]))
            yield Clip(name, text.strip(), audio, name.split("-")[0])


def _row(path: Path, row: Mapping[str, Any]) -> Clip:
    name = str(row["file_name"])
    return Clip(name, transcript(row, path), path / name, speaker(row))


def _table(path: Path) -> Iterator[Mapping[str, Any]]:
    rows = csv.DictReader(io.StringIO(_text(path)))
    try:
        if "file_name" not in (rows.fieldnames or ()):
            raise AudioError(f"{path} has no column 'file_name'; name one so, and one 'text'")
        for row in rows:
            if None in row:  # csv keeps fields beyond the header's under None
                raise AudioError(
                    f"{path}, line {rows.line_num}: more fields than the header; put texts with commas in quotes"
                )
            yield row
    except csv.Error as error:  # a quote that is never closed makes one field of all that follows
        raise AudioError(f"{path}, line {rows.line_num}: {error}; put texts with quotes in them in quotes") from error


def _objects(path: Path) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        try:
            row = json.loads(line)
            row["file_name"]
        except (ValueError, TypeError, KeyError) as error:
            raise AudioError(f"{path}, line {number}: needs a JSON object with 'file_name' and 'text'") from error
        yield row


def _text(path: Path) -> str:
    """Read a file in UTF-8; spreadsheets begin it with a byte order mark."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise AudioError(f"{path} cannot be read as text; save it in UTF-8") from error

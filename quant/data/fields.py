"""Rows of tables with a separator between their fields."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from asrd.core.errors import AudioError
from asrd.quant.data import columns, lines

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
QUOTED = ",;"
"""Separators of tables where a field in quotes may hold anything. Where there is a tab or a bar between fields, a quote
is a letter, as Common Voice and LJSpeech have it, unless it is around a whole field.
"""

WRITTEN = "as written"
LJSPEECH = {2: ("audio", "text"), 3: ("audio", WRITTEN, "text")}
"""Columns of tables that have no header, by their number."""

Row = tuple[int, dict[str, str]]
"""The number of the line where a row begins, and its fields by column."""


class Layout(NamedTuple):
    """The layout of a table. columns: in their order. separator: between fields. first: the number of rows before the
    first clip's, 1 for a header.
    """

    columns: Sequence[str]
    separator: str
    first: int


def layout(path: Path, text: str, is_audio: Callable[[str], bool]) -> Layout:
    """Tell the layout of a table from its header.

    is_audio: tells if there is such a sound file; without a header, LJSpeech's `AUDIO|TEXT` or
    `AUDIO|TEXT|NORMALIZED TEXT` is known by that. Raises AudioError if there is no audio or no text in it.
    """
    head = next((line for line in text.split("\n") if line.strip()), "")
    if not head:
        raise AudioError(f"{path} is empty; give a table with a header such as: file_name,text")
    separator, header = _header(head)
    if not (lack := columns.lacking(header)):
        return Layout(header, separator, 1)
    if (names := LJSPEECH.get(head.count("|") + 1)) and any(is_audio(row[0]) for _, row in _split(path, text, "|")):
        return Layout(names, "|", 0)
    hint = "" if len(header) > 1 else f"; separate them with a {', '.join(SEPARATORS.values())}"
    raise AudioError(f"{path} has {lack}{hint}")


def rows(path: Path, text: str, form: Layout) -> Iterator[Row]:
    """Yield a table's rows. Raises AudioError if one has too many fields or too few: then its text would be wrong."""
    found = _checked(path, text, form)
    yield from found if form.first else _normalized(path, list(found))


def _header(line: str) -> tuple[str, Sequence[str]]:
    """Return the separator that makes a header of a line, and the columns; of several, the one with most columns."""
    found = {mark: [_unquoted(name) for name in line.split(mark)] for mark in SEPARATORS}
    mark = max(found, key=lambda one: (not columns.lacking(found[one]), len(found[one])))
    return mark, found[mark]


def _normalized(path: Path, rows: list[Row]) -> Iterator[Row]:
    """Yield LJSpeech's rows with the text as written where there is no normalised one. Raises AudioError if the last
    column is too short to be a text: others keep the speaker there.
    """
    for _, row in rows:
        row["text"] = row["text"] or row.get(WRITTEN, "")
    said, written = (sum(len(row.get(name, "")) for _, row in rows) for name in ("text", WRITTEN))
    if 2 * said < written:
        raise AudioError(f"{path} has no header to say what its columns are; add one such as: file_name|text|speaker")
    yield from rows


def _checked(path: Path, text: str, form: Layout) -> Iterator[Row]:
    header, separator, first = form
    there = "the header" if first else "the first line"
    needed = 1 + max(header.index(columns.named(names, header) or "") for names in (columns.AUDIO, columns.TRANSCRIPTS))
    for number, row in islice(_split(path, text, separator), first, None):
        if any(row[len(header) :]):
            mark = SEPARATORS[separator]
            remedy = f"put texts with {mark}s in quotes" if separator in QUOTED else f"take the {mark}s out of its text"
            raise AudioError(f"{path}, line {number}: more fields than {there}; {remedy}")
        if len(row) < needed:
            raise AudioError(f"{path}, line {number}: fewer fields than {there}; put each text on one line")
        yield number, dict(zip(header, row, strict=False))


def _split(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row that has any, and the number of its first line."""
    if separator not in QUOTED:
        for number, line in lines.numbered(text):
            yield number, [_unquoted(field) for field in line.split(separator)]
        return
    table = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True, strict=True)
    number = 1
    try:
        for row in table:
            if any(field.strip() for field in row):
                yield number, [field.strip() for field in row]
            number = table.line_num + 1
    except csv.Error as error:  # a quote that is never closed makes one field of all that follows
        raise AudioError(
            f"{path}, line {number}: {error}; put texts with quotes in quotes, and write those within twice"
        ) from error


def _unquoted(field: str) -> str:
    """Return a field without spaces and the quotes around it."""
    field = field.strip()
    quoted = len(field) > 1 and field[0] == field[-1] == '"' and '"' not in field[1:-1].replace('""', "")
    return field[1:-1].replace('""', '"') if quoted else field

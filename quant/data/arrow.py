"""Clips in the tables of the library `datasets`, which are memory-mapped from its cache."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asrd.core.errors import AudioError
from asrd.models import runtime
from asrd.quant.data import audio
from asrd.quant.data.clip import Clip
from asrd.quant.data.columns import AUDIO, SPEAKERS, TRANSCRIPTS, lacking, named, plain, speaker


@dataclass(frozen=True, slots=True)
class Row:
    """One row's audio, read from the data set's memory-mapped table when it is asked for. folder: where the files are
    that it names.
    """

    table: Any
    column: str
    index: int
    folder: Path

    def read_bytes(self) -> bytes:
        """Return the sound file of the row, which holds it or names it."""
        cell = self.table[self.index][self.column] or {}
        held, name = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, cell)
        if isinstance(held, bytes):
            return held
        if not isinstance(name, str) or not name:
            raise OSError("the row has no audio")
        return audio.found(self.folder, name).read_bytes()


def clips(table: Any, spec: str, folder: Path) -> list[Clip]:
    """List the clips of a `datasets.Dataset`. Nothing is decoded by `datasets`, whose decoder is another large
    dependency. A clip is named by the column `id`, or by its place.

    spec: what the table was loaded as. folder: where the files are that it names. Raises AudioError if it has no audio
    or no transcripts.
    """
    datasets = runtime.datasets()
    column = next((key for key, kind in table.features.items() if _is_audio(datasets, kind)), None)
    column = column or named(AUDIO, table.column_names)
    text, who = named(TRANSCRIPTS, table.column_names), named(SPEAKERS, table.column_names)
    if column is None or text is None:
        raise AudioError(f"'{spec}' has {lacking(table.column_names, column)}")
    if isinstance(table.features[column], datasets.Audio):
        table = table.cast_column(column, datasets.Audio(decode=False))
    speakers = table[who] if who else [""] * len(table)
    ids = ["" if name is None else str(name).strip() for name in table["id"]] if "id" in table.column_names else []
    if len(set(ids)) != len(table) or "" in ids:
        ids = [f"row {index}" for index in range(len(table))]
    return [
        _clip(name, said, speaking, Row(table, column, index, folder))
        for index, (name, said, speaking) in enumerate(zip(ids, table[text], speakers, strict=True))
    ]


def _is_audio(datasets: Any, kind: Any) -> bool:
    """Tell if a column holds sound files. Other programs than `datasets` do not mark it, but give it the same form."""
    return isinstance(kind, datasets.Audio) or (isinstance(kind, dict) and set(kind) == {"bytes", "path"})


def _clip(name: str, said: object, who: object, row: Row) -> Clip:
    try:
        return Clip(name, plain(said), row, speaker(who))
    except ValueError as error:
        return Clip(name, "", row, fault=f"has {error}")

"""Names of the columns in data sets' tables."""

from collections.abc import Collection, Mapping
from typing import Any

from asrd.core.errors import AudioError

TRANSCRIPTS = ("text", "transcription", "transcript", "sentence", "normalized_text")
SPEAKERS = ("speaker_id", "speaker", "client_id")


def named(candidates: Collection[str], columns: Collection[str]) -> str | None:
    """Return the first of the candidates that is a column."""
    return next((name for name in candidates if name in columns), None)


def transcript(row: Mapping[str, Any], where: object) -> str:
    """Return the transcript, "" if the row has none. Raises AudioError if there is no such column."""
    if (column := named(TRANSCRIPTS, row)) is None:
        raise AudioError(f"{where} has no transcripts: none of its columns is called {', '.join(TRANSCRIPTS)}")
    return plain(row[column])


def speaker(row: Mapping[str, Any]) -> str:
    """Return the speaker, "" if that is unknown."""
    column = named(SPEAKERS, row)
    return plain(row[column]) if column else ""


def plain(value: object) -> str:
    """Return a table's value as text; "" if it is missing."""
    return "" if value is None else str(value).strip()

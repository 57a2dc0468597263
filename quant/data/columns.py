"""Names of the columns in data sets' tables, and the values in them."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

AUDIO = (
    "audio",
    "audio_filepath",
    "file_name",
    "path",
    "file",
    "filename",
    "file_path",
    "filepath",
    "audio_path",
    "audio_file",
    "wav_filename",
    "wav",
)
TRANSCRIPTS = ("text", "transcription", "transcript", "sentence", "normalized_text", "wrd")
SPEAKERS = ("speaker_id", "speaker", "client_id", "spk_id", "spk")
OFFSETS = ("offset",)
DURATIONS = ("duration",)

NOBODY = frozenset({"nan", "NaN", "None", "none", "null", "NULL", "<NA>", "N/A", "n/a"})
"""What programs write for a speaker who is unknown."""

Span = tuple[float, float]
"""Where a cut begins and ends in its file, in seconds; the end may be infinite."""

WHOLE: Span = (0.0, math.inf)


def named(candidates: Iterable[str], columns: Iterable[str]) -> str | None:
    """Return the column that has the first of the candidates' names, in any case, with spaces or hyphens in place of
    underscores.
    """
    known = {"_".join(column.casefold().replace("-", " ").split()): column for column in columns}
    return next((known[name] for name in candidates if name in known), None)


def lacking(columns: Iterable[str], audio: str | None = None) -> str:
    """Return what the columns do not have, audio or transcripts, for a message; "" if they have both. audio: the column
    with the audio, where another sign than its name tells.
    """
    columns = [*columns]
    for what, names in (("audio", AUDIO), ("transcripts", TRANSCRIPTS)):
        if named(names, columns) is None and not (audio and names is AUDIO):
            return f"no {what}, in a column {', '.join(names)}; its columns are {', '.join(columns) or 'none'}"
    return ""


def value(row: Mapping[str, Any], candidates: Iterable[str]) -> str:
    """Return a row's value in the first column of these names; "" if there is none. Raises ValueError if it is neither
    text nor a number.
    """
    if not (column := named(candidates, row)):
        return ""
    try:
        return plain(row[column])
    except ValueError as error:
        raise ValueError(f"has {error} in '{column}'") from error


def plain(found: object) -> str:
    """Return a table's value as text; "" if it is missing, as pandas' NaN is. Raises ValueError as `value` does."""
    if found is None or (isinstance(found, float) and math.isnan(found)):
        return ""
    if not isinstance(found, str | int | float):
        raise ValueError(f"a {type(found).__name__} where text is needed")
    text = str(found).strip()
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("half a surrogate pair")
    return text


def speaker(found: object) -> str:
    """Return a table's value as a speaker, "" if that is unknown. Raises ValueError as `value` does."""
    return "" if (who := plain(found)) in NOBODY else who


def span(row: Mapping[str, Any]) -> Span:
    """Return the part of its file that a row is about: `duration` seconds, or all the rest, from `offset` on. A
    duration alone cuts nothing. Raises ValueError if they are no such times.
    """
    if not (offset := value(row, OFFSETS)):
        return WHOLE
    start = seconds(offset)
    return between(start, start + seconds(value(row, DURATIONS) or "inf"))


def between(start: float, end: float) -> Span:
    """Return the part of a file from one second to another. Raises ValueError if there can be none."""
    if not (0 <= start < math.inf and start < end):
        raise ValueError(f"is said to last from {start:g} s to {end:g} s, which is no part of a file")
    return start, end


def seconds(written: str) -> float:
    """Read a number of seconds. Raises ValueError if it is none."""
    try:
        return float(written)
    except ValueError as error:
        raise ValueError(f"has '{written}' where a time in seconds is needed") from error

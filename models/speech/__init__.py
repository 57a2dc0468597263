"""The recordings that ship with asrd: a few real sentences and many synthetic ones."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asrd.core.errors import AudioError

BUNDLED = Path(__file__).resolve().parent / "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording and its transcript.

    audio: a sound file. text: what is said in it. speaker: "" if unknown. seconds: its length. kind: recorded from a
    person, or made by a text-to-speech program.
    """

    audio: Path
    text: str
    speaker: str = ""
    seconds: float = 0.0
    kind: Literal["real", "synthetic"] = "real"


def bundled(kind: Literal["real", "synthetic"] | None = None) -> list[Utterance]:
    """List the bundled recordings, all or those of one kind, always in the same order."""
    return [utterance for utterance in load(BUNDLED) if kind is None or utterance.kind == kind]


def load(manifest: Path) -> list[Utterance]:
    """Read a JSON-lines manifest: `audio` (relative to it) and `text` per line, the rest optional.

    Raises AudioError if it cannot be read, has a malformed line (which the message names), or lists nothing.
    """
    try:
        utterances = list(_lines(manifest))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise AudioError(f"{manifest} cannot be read ({why}); give a JSON-lines manifest") from error
    if not utterances:
        raise AudioError(f'{manifest} lists no utterances; it needs lines like {{"audio": "a.flac", "text": "HELLO"}}')
    return utterances


def _lines(manifest: Path) -> Iterator[Utterance]:
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield Utterance(
                audio=manifest.parent / row["audio"],
                text=str(row["text"] or ""),
                speaker=str(row.get("speaker", "")),
                seconds=float(row.get("seconds", 0.0)),
                kind="synthetic" if row.get("kind") == "synthetic" else "real",
            )
        except (ValueError, TypeError, KeyError) as error:
            raise AudioError(f"{manifest}, line {number}: needs a JSON object with 'audio' and 'text'") from error

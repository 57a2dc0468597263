"""The recordings that ship with asrd: a few real sentences and many synthetic ones."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BUNDLED = Path(__file__).resolve().parent / "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording and its transcript.

    audio: a sound file. text: what is said in it. seconds: its length. kind: recorded from a person, or made by a
    text-to-speech program.
    """

    audio: Path
    text: str
    speaker: str
    seconds: float
    kind: Literal["real", "synthetic"]


def bundled(kind: Literal["real", "synthetic"] | None = None) -> list[Utterance]:
    """List the bundled recordings, all or those of one kind, always in the same order."""
    rows = map(json.loads, BUNDLED.read_text(encoding="utf-8").splitlines())
    listed = [Utterance(**row | {"audio": BUNDLED.parent / row["audio"]}) for row in rows]
    return [utterance for utterance in listed if kind is None or utterance.kind == kind]

"""Lines of text files that list clips."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asrd.core.errors import AudioError

EXAMPLE = '{"audio": "a.flac", "text": "HELLO"}'


def text(path: Path) -> str:
    """Read a file in UTF-8, which may begin with a byte order mark, with a line feed at the end of each line.
    Raises AudioError if it is no such text.
    """
    try:
        raw = path.read_bytes()
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise AudioError(f"{path} cannot be read ({error.strerror}); check the data set") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise AudioError(f"{path}, line {line}: cannot be read as text; save it in UTF-8") from error


def numbered(content: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, and their numbers from 1 on. Unicode's other separators are part of a line:
    texts have them.
    """
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            yield number, line


def objects(content: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """Yield the numbers and objects of JSON lines, or what is wrong with a line."""
    for number, line in numbered(content):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        yield number, row if isinstance(row, dict) else f"is no JSON object such as {EXAMPLE}; write one a line"


def entries(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield the number, first word and rest of each line, as LibriSpeech and Kaldi write them. Raises AudioError as
    `text` does.
    """
    for number, line in numbered(text(path)):
        name, *rest = re.split(r"[ \t]+", line.strip(), maxsplit=1)
        yield number, name, rest[0] if rest else ""

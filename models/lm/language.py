"""Language model files, and the words they know."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asrd.core.errors import ModelError, UsageError

BUNDLED = Path(__file__).resolve().parent
"""Directory of the bundled language models; `en` is `en.bin`."""

KENLM = b"mmap lm http://kheafield.com/code"
"""The first bytes of KenLM's binary files."""

NO_WORDS = frozenset({"<unk>", "<UNK>", "<s>", "</s>"})


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """An n-gram model. words: all words it knows, in its own letters."""

    path: Path
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """The value of `--lm` that names it."""
        return self.path.stem if self.path.parent == BUNDLED else str(self.path)


def resolve(name: str) -> LanguageModel:
    """Open a bundled model by name, or a file of one's own.

    Raises UsageError if there is none, ModelError if it cannot be used.
    """
    path = BUNDLED / f"{name}.bin" if name in bundled() else Path(name)
    if not path.is_file():
        known = ", ".join(bundled()) or "none"
        raise UsageError(f"there is no language model '{name}'; give a file (.bin, .arpa, .arpa.gz) or one of: {known}")
    try:
        words = tuple(word for word in _words(path) if word not in NO_WORDS)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ModelError(f"{path} cannot be read as a language model ({error})") from error
    if not words:
        raise ModelError(f"{path} is no language model of KenLM's (binary with its words, or ARPA)")
    return LanguageModel(path, words)


def bundled() -> list[str]:
    """List the names of the bundled models."""
    return sorted(path.stem for path in BUNDLED.glob("*.bin"))


def _words(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        head = file.read(len(KENLM))
    if head == KENLM:
        # KenLM ends its files with all words, the unknown one first, each followed by a zero
        content = path.read_bytes()
        at = max(content.rfind(b"\0<unk>\0"), content.rfind(b"\0<UNK>\0"))
        yield from content[at + 1 :].decode().split("\0")[:-1] if at >= 0 else ()
    else:
        with gzip.open(path) if head[:2] == b"\x1f\x8b" else path.open("rb") as file:
            yield from _unigrams(file)


def _unigrams(file: "BinaryIO | gzip.GzipFile") -> Iterator[str]:
    """Yield the words of an ARPA file: the second column of its first section."""
    inside = False
    for line in file:
        columns = line.decode().split()
        if columns[:1] == ["\\1-grams:"]:
            inside = True
        elif inside and columns and columns[0].startswith("\\"):
            return
        elif inside and len(columns) > 1:
            yield columns[1]

"""What was typed so far, with its spaces and capitals, and how to take it back."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from asrd.clients.dictation.phrases import Item, Word
from asrd.clients.dictation.table import Command
from asrd.core import script
from asrd.core.display import shown

KEPT = 200
"""Utterances that can be taken back, one after the other."""


class Chunk(NamedTuple):
    """What one utterance typed. spaced: whether a word after it needs a space."""

    text: str = ""
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """Text of the last utterances. case: how the next word is to be written, if that was said."""

    chunks: tuple[Chunk, ...] = ()
    case: Command | None = None

    @property
    def text(self) -> str:
        """All of the text."""
        return "".join(chunk.text for chunk in self.chunks)

    def add(self, items: Iterable[Item]) -> "Draft":
        """Return the draft after another utterance."""
        pen = _Pen(self)
        for item in items:
            pen.write(item)
        return pen.draft()

    def kept(self) -> "Draft":
        """Return the draft without what is too long ago to be taken back."""
        return Draft(self.chunks[-KEPT:], self.case)


class _Pen:
    """Writes one utterance."""

    def __init__(self, draft: Draft) -> None:
        self._case = draft.case
        self._begin(list(draft.chunks))

    def _begin(self, chunks: list[Chunk]) -> None:
        self._chunks, self._text = chunks, ""
        self._spaced = chunks[-1].spaced if chunks else False
        self._before = "".join(chunk.text for chunk in chunks)

    def draft(self) -> Draft:
        last = Chunk(self._text, self._spaced)
        changed = last != Chunk("", self._chunks[-1].spaced if self._chunks else False)
        return Draft((*self._chunks, last) if changed else tuple(self._chunks), self._case)

    def write(self, item: Item) -> None:
        match item:
            case Word(text, fixed):
                self._insert(f" {text if fixed else self._cased(text)} ")
                self._case = None
            case Command.SCRATCH:
                self._scratch()
            case Command():
                self._case = item
            case text:
                self._insert(text)

    def _cased(self, word: str) -> str:
        if self._case is Command.CAPITALS:
            return word.upper()
        return script.capital(word) if self._case or _begins(self._before + self._text) else word

    def _insert(self, entry: str) -> None:
        entry = shown(unicodedata.normalize("NFC", entry), keep="\n\t")
        core, before = entry.strip(" "), self._before + self._text
        if core:
            apart = before and self._spaced and entry.startswith(" ")
            self._text += (script.space(before, core) if apart else "") + core
        self._spaced = entry.endswith(" ")

    def _scratch(self) -> None:
        chunks = self._chunks
        if not self._text:
            while chunks and not chunks.pop().text:
                pass
        self._begin(chunks)
        self._case = None


def _begins(before: str) -> bool:
    """Return whether a word after this text begins a sentence, or a line. Quotes and brackets do not matter."""
    for letter in reversed(before):
        if letter not in " \"'" and unicodedata.category(letter) not in ("Ps", "Pe", "Pi", "Pf"):
            return letter == "\n" or letter in script.ENDS
    return True

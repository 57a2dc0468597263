"""Scripts: where spaces stand between words, how wide letters are, and what ends a sentence."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

_UNSPACED = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "IDEOGRAPHIC"}
"""The first words of the Unicode names of letters between which no spaces stand, and lines may break anywhere."""

_STOPS = {
    **dict.fromkeys(_UNSPACED, "。"),
    **dict.fromkeys(("DEVANAGARI", "BENGALI", "GURMUKHI", "ORIYA"), "।"),
    **dict.fromkeys(("THAI", "LAO"), ""),
    "ARMENIAN": "։",
    "ETHIOPIC": "።",
    "KHMER": "។",
    "MYANMAR": "။",
    "TIBETAN": "།",
}
"""What ends a sentence in scripts that have no full stop like that of the Latin script."""

ENDS = frozenset(".?!…。？！।։።។။།")
"""Marks that end sentences."""


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


@lru_cache(1 << 14)
def unspaced(letter: str) -> bool:
    """Return whether a letter stands beside others of its kind without spaces, as in Chinese and Japanese."""
    return _script(letter) in _UNSPACED


def pieces(word: str) -> list[str]:
    """Cut a word into what lines may break between: single letters of scripts without spaces, and whole runs of
    others.
    """
    cut: list[str] = []
    for alone, group in groupby(word, unspaced):
        letters = list(group)
        cut += letters if alone else ["".join(letters)]
    return cut


def space(before: str, after: str) -> str:
    """Return what stands between two neighbouring words: a space, or nothing beside a letter that has none."""
    return "" if unspaced(before[-1]) or unspaced(after[0]) else " "


def join(words: Iterable[str]) -> str:
    """Join words to running text."""
    text = ""
    for word in words:
        text += f"{space(text, word) if text else ''}{word}"
    return text


def ends(words: Iterable[str], text: str) -> Iterator[int]:
    """Yield where each word ends in the text that they make up, in order, whatever stands between them."""
    end = 0
    for word in words:
        end = text.index(word, end) + len(word)
        yield end


def width(text: str) -> int:
    """Return the columns that a text takes: two for a wide letter, none for a mark above or below another (Unicode
    Standard Annex 11, "East Asian Width").
    """
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def capital(word: str) -> str:
    """Return a word with a capital, unless it has one, or its script has none."""
    return re.sub(r"\w", lambda letter: letter[0].title(), word, count=1) if word.islower() else word


def stop(word: str) -> str:
    """Return the mark that ends a sentence after its last word: "" if there is one, or the script has none."""
    if word[-1:] in ENDS:
        return ""
    scripts = (_script(letter) for letter in reversed(word) if letter.isalpha())
    return _STOPS.get(next(scripts, ""), ".")

"""Spoken numbers in digits: by the library text2num, and in English by rules of our own for years and digit strings."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from text_to_num import find_numbers

from asrd.core.language import primary
from asrd.core.writing.english import NUMBERS

LANGUAGES = frozenset(("en", "de", "fr", "es", "pt", "it", "nl"))
"""Languages whose numbers the library reads."""

DIGITS_JOINED = 4
"""Fewest digits, said one by one, that are one number, as of a telephone or a house; fewer may be a count."""


APART = 3
"""Words in a row that are no numbers by themselves after which a number begins anew; "and" and "point" are fewer."""


class Written(NamedTuple):
    """Written text. text: stands for the words `[first, last)`."""

    text: str
    first: int
    last: int


class _Spoken:
    """One word, in the interface that the library expects."""

    def __init__(self, word: str) -> None:
        self._word = word

    def text(self) -> str:
        return self._word

    def nt_separated(self, _: "_Spoken") -> bool:
        """Return False: nothing stands between this word and the one before, because sentences are cut already."""
        return False

    def not_a_number_part(self) -> bool:
        return False


def digits(words: Sequence[str], language: str) -> list[Written]:
    """Return the words of a sentence, with numbers in digits if they can be read in that language.

    Numbers below three that stand alone stay words ("no one", "a second one"), which is the library's rule.
    """
    code, heard = primary(language), [word.lower() for word in words]
    result: list[Written] = []
    position = 0
    for first, last in _spans(heard, code):
        for number in _read(tuple(heard[first:last]), code):
            result += _plain(words, position, first + number.first)
            position = first + number.last
            result.append(Written(number.text, first + number.first, position))
    return [*result, *_plain(words, position, len(words))]


def settled(words: Sequence[str], language: str) -> int:
    """Count the words of a sentence whose digits stay as they are whatever follows: those before a number that may be
    going on.
    """
    spans = list(_spans([word.lower() for word in words], primary(language)))
    return spans[-1][0] if spans and spans[-1][1] is None else len(words)


def _spans(heard: Sequence[str], code: str) -> Iterator[tuple[int, int | None]]:
    """Yield the first word of each stretch that no number reaches out of, and the place after its last; None if it may
    be going on. They depend on the words up to there alone.
    """
    first, last = None, 0
    for index, word in enumerate(heard):
        if _numeric(word, code):
            first, last = index if first is None else first, index
        elif first is not None and index - last == APART:
            yield first, index + 1
            first = None
    if first is not None:
        yield first, None


@lru_cache(4096)
def _numeric(word: str, code: str) -> bool:
    """Return whether a word is a number by itself."""
    return code in LANGUAGES and bool(find_numbers([_Spoken(word)], code, threshold=0))


@lru_cache(256)
def _read(heard: tuple[str, ...], code: str) -> tuple[Written, ...]:
    """Return the numbers in a stretch of words; one partial has most of those of the partial before."""
    words = _with_zeros(heard) if code == "en" else heard
    found = (Written(one.text, one.start, one.end) for one in find_numbers(list(map(_Spoken, words)), code))
    return tuple(_join(list(found)) if code == "en" else found)


def _with_zeros(heard: Sequence[str]) -> list[str]:
    """Return words with each "oh" between numbers as the library calls this zero."""
    around = zip(["", *heard], heard, [*heard[1:], ""], strict=False)
    return ["o" if word == "oh" and {before, after} <= NUMBERS else word for before, word, after in around]


def _plain(words: Sequence[str], first: int, last: int) -> Iterator[Written]:
    return (Written(words[index], index, index + 1) for index in range(first, last))


def _join(numbers: Sequence[Written]) -> Iterator[Written]:
    """Join neighbours that are one number: "19 84", "5 5 5 01 02"."""
    neighbours: list[list[Written]] = []
    for number in numbers:
        if neighbours and neighbours[-1][-1].last == number.first:
            neighbours[-1].append(number)
        else:
            neighbours.append([number])
    for run in neighbours:
        if len(run) == 2 and _year(*run):
            yield _one(run)
            continue
        for single, group in groupby(run, key=lambda number: re.fullmatch(r"0*\d", number.text) is not None):
            same = list(group)
            if single and sum(len(number.text) for number in same) >= DIGITS_JOINED:
                yield _one(same)
            else:
                yield from same


def _one(numbers: Sequence[Written]) -> Written:
    return Written("".join(number.text for number in numbers), numbers[0].first, numbers[-1].last)


def _year(century: Written, rest: Written) -> bool:
    """Return whether two numbers make a year, as in "19 84" and "20 05"; not in "11 12", which is counting."""
    fits = re.fullmatch(r"1[1-9]|20", century.text) and re.fullmatch(r"0\d|[1-9]\d", rest.text)
    return bool(fits) and int(rest.text) != int(century.text) + 1

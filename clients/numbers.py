"""Spoken numbers in digits: by the library text2num, and in English by rules of our own for years and digit strings."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from text_to_num import find_numbers

from asrd.clients.english import NUMBERS
from asrd.core.language import primary

LANGUAGES = frozenset(("en", "de", "fr", "es", "pt", "it", "nl"))
"""Languages whose numbers the library reads."""

DIGITS_JOINED = 4
"""Fewest digits, said one by one, that are one number, as of a telephone or a house; fewer may be a count."""


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
    if code not in LANGUAGES:
        return [*_plain(words, 0, len(words))]
    if code == "en":
        _hear_zeros(heard)
    found = find_numbers(list(map(_Spoken, heard)), code)
    numbers = [Written(number.text, number.start, number.end) for number in found]
    result: list[Written] = []
    position = 0
    for number in _join(numbers) if code == "en" else numbers:
        result += _plain(words, position, number.first)
        result.append(number)
        position = number.last
    return [*result, *_plain(words, position, len(words))]


def _hear_zeros(heard: list[str]) -> None:
    """Write "oh" between number words as the library calls this zero."""
    for index in range(1, len(heard) - 1):
        if heard[index] == "oh" and heard[index - 1] in NUMBERS and heard[index + 1] in NUMBERS:
            heard[index] = "o"


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

"""Normalise texts for comparison: one rule for every backend, data set and metric."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from asrd.models.vocabulary import Vocabulary

NORMALIZATION = (
    "compared in upper case; everything but letters, digits and apostrophes counts as a space, "
    "and an invisible format character as nothing"
)

APOSTROPHES = str.maketrans("’ʼ", "''")


def normalize_text(text: str) -> str:
    """Normalise a text; see `NORMALIZATION`. Letters are composed first (Unicode NFKC), and keep their marks.

    Characters that only format, Unicode's category Cf, split no words: joiners, soft hyphens, byte order marks, marks
    of direction. The zero-width space is one of them: it allows a line to break, and models do not write it.
    """
    bare = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    upper = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare).upper()).translate(APOSTROPHES)
    kept = (letter if letter == "'" or unicodedata.category(letter)[0] in "LMN" else " " for letter in upper)
    return " ".join("".join(kept).split())


def unspellable(texts: Iterable[str], vocabulary: Vocabulary) -> dict[str, int]:
    """Count the letters of the texts that a model has no output for, the most frequent first.

    Both sides are normalised: a model that writes lower case lacks no upper-case letter.
    """
    words = set(range(len(vocabulary))) - vocabulary.special - {vocabulary.blank}
    alphabet = set("".join(normalize_text(vocabulary.tokens[index]) for index in words))
    letters = Counter(letter for text in texts for letter in normalize_text(text) if letter != " ")
    return {letter: count for letter, count in letters.most_common() if letter not in alphabet}

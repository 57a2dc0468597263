"""A back-off trigram in arrays, and as an ARPA file."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Logs = npt.NDArray[np.float64]

UNKNOWN = -7.0
"""Base 10: of a word that is not listed; the rarest that are listed have -8.8."""


@dataclass(frozen=True)
class Trigram:
    """A back-off model, in nats. A row of `bigrams` is (word, word before), of `trigrams` (word, word
    before, word before that). p1, b1: log-probability and back-off weight of each word, and so on.
    """

    words: list[str]
    p1: Logs
    b1: Logs
    bigrams: Ids
    p2: Logs
    b2: Logs
    trigrams: Ids
    p3: Logs


def arpa(model: Trigram) -> Iterator[str]:
    """The lines of an ARPA file; logarithms to base 10, words in the order they are spoken."""
    ten = np.log(10)
    yield f"\\data\\\nngram 1={len(model.words) + 1}\nngram 2={len(model.p2)}\nngram 3={len(model.p3)}\n\n\\1-grams:\n"
    yield f"{UNKNOWN}\t<unk>\n"
    for word, p, b in zip(model.words, model.p1 / ten, model.b1 / ten, strict=True):
        yield f"{-99 if word == '<s>' else p:.4f}\t{word}\t{b:.4f}\n"
    yield "\n\\2-grams:\n"
    words = model.words
    for (one, two), p, b in zip(model.bigrams.tolist(), model.p2 / ten, model.b2 / ten, strict=True):
        yield f"{p:.4f}\t{words[two]} {words[one]}\t{b:.4f}\n"
    yield "\n\\3-grams:\n"
    for (one, two, three), p in zip(model.trigrams.tolist(), model.p3 / ten, strict=True):
        yield f"{p:.4f}\t{words[three]} {words[two]} {words[one]}\n"
    yield "\n\\end\\\n"

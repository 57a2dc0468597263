"""A back-off trigram in arrays, and as an ARPA file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Logs = npt.NDArray[np.float64]

UNKNOWN = -7.0
"""Base-10 log-probability of a word that is not listed; the rarest listed ones have -8.8."""


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
    """Yield the lines of an ARPA file; logarithms to base 10, words in the order they are spoken."""
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


def read_arpa(path: Path) -> Trigram:
    """Read an ARPA file of order 3, as KenLM's `lmplz` writes it. <unk> is left out."""
    words: list[str] = []
    number: dict[str, int] = {}
    rows: dict[int, tuple[list[int], list[float], list[float]]] = {n: ([], [], []) for n in (1, 2, 3)}
    order = 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith("\\"):
                order = int(line[1]) if line[1].isdigit() else 0
                continue
            part = line.split("\t")
            if not order or len(part) < 2:
                continue
            gram = part[1].split()
            if order == 1:
                if gram[0] == "<unk>":
                    continue
                number[gram[0]] = len(words)
                words.append(gram[0])
            if any(word not in number for word in gram):
                continue
            ids, p, b = rows[order]
            ids.extend(number[word] for word in reversed(gram))
            p.append(float(part[0]))
            b.append(float(part[2]) if len(part) > 2 else 0.0)
    ten = np.log(10)
    array = {n: (np.array(i, np.int64), np.array(p) * ten, np.array(b) * ten) for n, (i, p, b) in rows.items()}
    return Trigram(
        words, array[1][1], array[1][2],
        array[2][0].reshape(-1, 2), array[2][1], array[2][2],
        array[3][0].reshape(-1, 3), array[3][1],
    )  # fmt: skip

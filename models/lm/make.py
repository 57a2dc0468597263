"""Make a small language model of the general English trigram that PocketSphinx ships.

    python -m asrd.models.lm.make en-us.lm.bin en.arpa --threshold 1e-7
    build_binary -a 22 -q 8 -b 8 trie en.arpa en.bin

Reads PocketSphinx's own format (its converters leave out the last trigrams' contexts and stop), keeps the
words that letters and apostrophes can spell, prunes by relative entropy, and writes ARPA, which
KenLM's `build_binary` turns into what is loaded. `docs/language-model.md` says more.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from asrd.core.errors import ModelError

Ids = npt.NDArray[np.int64]
Logs = npt.NDArray[np.float64]

MAGIC = b"Trie Language Model"
LOG = np.log(1.0001)
"""PocketSphinx's unit of log-probability, in nats."""

UNKNOWN = -7.0
"""Base 10: of a word that is not listed; the rarest that are listed have -8.8."""

QUANTA = 1 << 16
FLOOR = 1e-9
"""Least mass that a history leaves to words it has not seen; rounding may say that there is none."""


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


def read(path: Path) -> Trigram:
    """A PocketSphinx trigram. Raises ModelError for anything else."""
    data = path.read_bytes()
    if not data.startswith(MAGIC) or data[len(MAGIC)] != 3:
        raise ModelError(f"{path} is not a trigram of PocketSphinx's; its wheel has one at model/en-us/en-us.lm.bin")
    at = len(MAGIC) + 1
    count1, _, count3, _ = (int(number) for number in np.frombuffer(data, "<u4", 4, at))
    tables = np.frombuffer(data, "<f4", 3 * QUANTA, at + 16).reshape(3, QUANTA) * LOG
    at += 16 + tables.size * 4
    unigrams = np.frombuffer(data, np.dtype([("p", "<f4"), ("b", "<f4"), ("next", "<u4")]), count1 + 1, at)
    at += unigrams.nbytes
    count2 = int(unigrams["next"][-1])  # fewer than the head says: those behind are not reachable
    declared2 = int(np.frombuffer(data, "<u4", 1, len(MAGIC) + 5)[0])

    word, link = count1.bit_length(), count3.bit_length()
    rows = _Bits(data, at, word + 32 + link, count2)
    before, backoff, prob = rows.field(0, word), rows.field(word, 16), rows.field(word + 16, 16)
    links = np.append(rows.field(word + 32, link), count3)
    at += ((declared2 + 1) * (word + 32 + link) + 7) // 8 + 8
    last = _Bits(data, at, word + 16, count3)
    at += ((count3 + 1) * (word + 16) + 7) // 8 + 8

    first: Ids = np.repeat(np.arange(count1), np.diff(unigrams["next"]).astype(np.int64))
    bigrams = np.stack([first, before], axis=1)
    trigrams = np.column_stack([np.repeat(bigrams, np.diff(links).astype(np.int64), axis=0), last.field(0, word)])
    return Trigram(
        words=data[at + 4 :].decode().split("\0")[:count1],
        p1=unigrams["p"][:-1] * LOG,
        b1=unigrams["b"][:-1] * LOG,
        bigrams=bigrams,
        p2=tables[0, prob].astype(np.float64),
        b2=tables[1, backoff].astype(np.float64),
        trigrams=trigrams,
        p3=tables[2, last.field(word, 16)].astype(np.float64),
    )


@dataclass(frozen=True)
class _Bits:
    """Records of a fixed number of bits, lowest bits first, without padding."""

    data: bytes
    start: int
    size: int
    count: int

    def field(self, offset: int, width: int) -> Ids:
        """One field of every record."""
        bits = np.arange(self.count, dtype=np.int64) * self.size + offset
        array = np.frombuffer(self.data, np.uint8)[self.start :]
        value = np.zeros(self.count, np.int64)
        for byte in range(5):
            value |= array[(bits >> 3) + byte].astype(np.int64) << (8 * byte)
        return (value >> (bits & 7)) & ((1 << width) - 1)


def spelled(model: Trigram, letters: str) -> Trigram:
    """Without the words that these letters cannot spell. Their probability goes to nobody; it is small."""
    usable = re.compile(f"[{re.escape(letters)}]+|</?s>")
    keep = np.array([bool(usable.fullmatch(word)) for word in model.words])
    number = np.cumsum(keep) - 1
    two, three = keep[model.bigrams].all(axis=1), keep[model.trigrams].all(axis=1)
    return Trigram(
        words=[word for word, kept in zip(model.words, keep, strict=True) if kept],
        p1=model.p1[keep],
        b1=model.b1[keep],
        bigrams=number[model.bigrams[two]],
        p2=model.p2[two],
        b2=model.b2[two],
        trigrams=number[model.trigrams[three]],
        p3=model.p3[three],
    )


def prune(model: Trigram, threshold: float) -> Trigram:
    """Without the n-grams whose loss raises the perplexity of the model's own text by less than
    `threshold` (relative).

    Stolcke 1998, "Entropy-based pruning of backoff language models", equations 4 to 8. A bigram that a
    trigram kept is built on, as its history or as what it backs off to, stays.
    """
    size = len(model.words)
    order = np.argsort(_key(model.bigrams, size))
    keys = _key(model.bigrams, size)[order]

    def find(pairs: Ids) -> Ids:
        return order[np.searchsorted(keys, _key(pairs, size))]

    lower3, history3 = find(model.trigrams[:, :2]), find(model.trigrams[:, 1:])
    start, end = model.words.index("<s>"), model.words.index("</s>")
    p1 = model.p1.copy()
    p1[start] = p1[end]  # how often a sentence begins is how often one ends
    bigram_mass = p1[model.bigrams[:, 1]] + model.p2
    loss3 = _loss(model.p3, model.p2[lower3], history3, bigram_mass)
    keep3 = loss3 >= threshold

    lower2, history2 = model.bigrams[:, 0], model.bigrams[:, 1]
    keep2 = _loss(model.p2, model.p1[lower2], history2, p1) >= threshold
    keep2[lower3[keep3]] = keep2[history3[keep3]] = True
    return replace(
        model,
        b1=_backoff(model.b1, model.p2, model.p1[lower2], history2, keep2),
        bigrams=model.bigrams[keep2],
        p2=model.p2[keep2],
        b2=_backoff(model.b2, model.p3, model.p2[lower3], history3, keep3)[keep2],
        trigrams=model.trigrams[keep3],
        p3=model.p3[keep3],
    )


def _key(pairs: Ids, size: int) -> Ids:
    key: Ids = pairs[:, 0] * size + pairs[:, 1]
    return key


def _sums(logs: Logs, history: Ids, size: int) -> Logs:
    """Probability that each history spends on the words listed for it."""
    return np.asarray(np.bincount(history, np.exp(logs), size), np.float64)


def _loss(p: Logs, lower: Logs, history: Ids, mass: Logs) -> Logs:
    """Relative change of perplexity by each n-gram's removal alone. mass: log-probability of histories."""
    spent = _sums(p, history, len(mass))[history]
    spent_lower = _sums(lower, history, len(mass))[history]
    left, left_lower = np.maximum(1 - spent, FLOOR), np.maximum(1 - spent_lower, FLOOR)
    after = np.log(left + np.exp(p)) - np.log(left_lower + np.exp(lower))
    before = np.log(left) - np.log(left_lower)
    divergence = -np.exp(mass[history]) * (np.exp(p) * (lower + after - p) + (after - before) * left)
    loss: Logs = np.expm1(divergence)
    return loss


def _backoff(weights: Logs, p: Logs, lower: Logs, history: Ids, keep: npt.NDArray[np.bool_]) -> Logs:
    """Weights that make each history's probabilities sum to 1 again; those that lost nothing stay."""
    size = len(weights)
    left = 1 - _sums(p[keep], history[keep], size)
    left_lower = 1 - _sums(lower[keep], history[keep], size)
    again = np.log(np.maximum(left, FLOOR)) - np.log(np.maximum(left_lower, FLOOR))
    return np.where(np.bincount(history[~keep], minlength=size) > 0, again, weights)


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


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--threshold", default=1e-7, show_default=True, help="Drop what changes perplexity by less.")
@click.option(
    "--letters", default="abcdefghijklmnopqrstuvwxyz'", show_default=True, help="What words are spelled with."
)
def main(source: Path, target: Path, **options: Any) -> None:
    """Prune a PocketSphinx trigram and write it as ARPA."""
    whole = spelled(read(source), options["letters"])
    model = prune(whole, options["threshold"])
    with target.open("w", encoding="utf-8") as file:
        file.writelines(arpa(model))
    click.echo(
        f"{len(model.words)} words, {len(model.p2)} of {len(whole.p2)} bigrams, "
        f"{len(model.p3)} of {len(whole.p3)} trigrams"
    )


if __name__ == "__main__":
    main()

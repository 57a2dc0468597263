"""Mix back-off trigrams by linear interpolation of their probabilities, over the union of their n-grams."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asrd.training.language_model import backoff
from asrd.training.language_model.backoff import key
from asrd.training.language_model.trigram import Ids, Logs, Trigram

NEVER = -1e9
"""Log-probability of a word that a model does not list, in nats."""


@dataclass(frozen=True)
class Table:
    """Looks up any n-gram of a shared vocabulary, backing off where the model does not list it. Logs are in nats."""

    size: int
    p1: Logs
    b1: Logs
    k2: Ids
    p2: Logs
    b2: Logs
    k3: Ids
    p3: Logs

    def pairs(self, key: Ids) -> Logs:
        """Return the log-probability of each pair: a word after another."""
        found, at = _find(self.k2, key)
        word, before = key // self.size, key % self.size
        return np.where(found, self.p2[at], self.b1[before] + self.p1[word])

    def triples(self, key: Ids) -> Logs:
        """Return the log-probability of each triple: a word after two others."""
        found, at = _find(self.k3, key)
        pair, first = key // self.size, key % self.size
        known, history = _find(self.k2, pair % self.size * self.size + first)
        return np.where(found, self.p3[at], np.where(known, self.b2[history], 0) + self.pairs(pair))


def table(model: Trigram, words: Sequence[str]) -> Table:
    """Index a model by `words`. N-grams of other words are left out."""
    number = {word: at for at, word in enumerate(words)}
    new = np.array([number.get(word, -1) for word in model.words], np.int64)
    size = len(words)
    p1, b1 = np.full(size, NEVER), np.zeros(size)
    p1[new[new >= 0]], b1[new[new >= 0]] = model.p1[new >= 0], model.b1[new >= 0]
    two, three = new[model.bigrams], new[model.trigrams]
    keep2, keep3 = (two >= 0).all(axis=1), (three >= 0).all(axis=1)
    k2, k3 = key(two[keep2], size), key(three[keep3], size)
    o2, o3 = np.argsort(k2), np.argsort(k3)
    return Table(size, p1, b1, k2[o2], model.p2[keep2][o2], model.b2[keep2][o2], k3[o3], model.p3[keep3][o3])


def mix(tables: Sequence[Table], weights: Sequence[float], words: list[str]) -> Trigram:
    """Build one model whose probabilities are weighted sums of theirs."""
    size = len(words)
    k2 = np.unique(np.concatenate([each.k2 for each in tables]))
    k3 = np.unique(np.concatenate([each.k3 for each in tables]))
    p1 = _sum([each.p1 for each in tables], weights)
    p2 = _sum([each.pairs(k2) for each in tables], weights)
    p3 = _sum([each.triples(k3) for each in tables], weights)
    p1 = np.maximum(p1, -99 * np.log(10))
    word2, before2 = k2 // size, k2 % size
    _, lower = _find(k2, k3 // size)
    _, history = _find(k2, k3 // size % size * size + k3 % size)
    return Trigram(
        words, p1, backoff.weights(p2, p1[word2], before2, size),
        np.stack([word2, before2], axis=1), p2, backoff.weights(p3, p2[lower], history, len(k2)),
        np.stack([k3 // size // size, k3 // size % size, k3 % size], axis=1), p3,
    )  # fmt: skip


def _find(keys: Ids, wanted: Ids) -> tuple[npt.NDArray[np.bool_], Ids]:
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return keys[at] == wanted, at


def _sum(logs: Sequence[Logs], weights: Sequence[float]) -> Logs:
    with np.errstate(divide="ignore"):
        total: Logs = np.log(sum(weight * np.exp(log) for weight, log in zip(weights, logs, strict=True)))
    return total

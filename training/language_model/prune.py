"""Make a trigram smaller: remove words that cannot be spelled, and n-grams that hardly matter."""

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from asrd.training.language_model import backoff
from asrd.training.language_model.backoff import key
from asrd.training.language_model.trigram import Ids, Logs, Trigram


def spelled(model: Trigram, letters: str) -> Trigram:
    """Remove the words that these letters cannot spell. Their probability, which is small, is not redistributed."""
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
    """Remove the n-grams whose loss raises the perplexity of the model's own text by less than `threshold` (relative).

    Stolcke 1998, "Entropy-based pruning of backoff language models", equations 4 to 8. A bigram stays where a kept
    trigram builds on it, as its history or as what it backs off to.
    """
    size = len(model.words)
    order = np.argsort(key(model.bigrams, size))
    keys = key(model.bigrams, size)[order]

    def find(pairs: Ids) -> Ids:
        return order[np.searchsorted(keys, key(pairs, size))]

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


def _loss(p: Logs, lower: Logs, history: Ids, mass: Logs) -> Logs:
    """Return the relative change of perplexity by each n-gram's removal alone. mass: log-probability of histories."""
    rest, rest_lower = (backoff.left(logs, history, len(mass))[history] for logs in (p, lower))
    after = np.log(rest + np.exp(p)) - np.log(rest_lower + np.exp(lower))
    before = np.log(rest) - np.log(rest_lower)
    divergence = -np.exp(mass[history]) * (np.exp(p) * (lower + after - p) + (after - before) * rest)
    loss: Logs = np.expm1(divergence)
    return loss


def _backoff(weights: Logs, p: Logs, lower: Logs, history: Ids, keep: npt.NDArray[np.bool_]) -> Logs:
    """Return weights that make each history's probabilities sum to 1 again; histories that lost nothing keep theirs."""
    size = len(weights)
    again = backoff.weights(p[keep], lower[keep], history[keep], size)
    return np.where(np.bincount(history[~keep], minlength=size) > 0, again, weights)

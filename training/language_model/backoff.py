"""Arithmetic shared by the pruning and mixing of back-off models."""

import numpy as np

from asrd.training.language_model.trigram import Ids, Logs

FLOOR = 1e-9
"""Least mass that a history leaves to words it has not seen; rounding may leave none."""


def key(grams: Ids, size: int) -> Ids:
    """Return one number per n-gram `(n, order)`: its word ids as digits to base `size`."""
    one = grams[:, 0]
    for column in grams.T[1:]:
        one = one * size + column
    return one


def left(logs: Logs, history: Ids, size: int) -> Logs:
    """Return the probability `(size,)` that each history leaves to words that are not listed for it."""
    return np.maximum(1 - np.bincount(history, np.exp(logs), size), FLOOR)


def weights(p: Logs, lower: Logs, history: Ids, size: int) -> Logs:
    """Return the back-off weights `(size,)`, in nats, that make each history's probabilities sum to one.

    p, lower: log-probability of each n-gram listed, by itself and backed off. history: the index of its history.
    """
    found: Logs = np.log(left(p, history, size)) - np.log(left(lower, history, size))
    return found

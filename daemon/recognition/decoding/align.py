"""Forced alignment: the likeliest CTC path that spells a given text."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from asrd.core.flow import FloatArray
from asrd.daemon.recognition.decoding.path import Labels


def align(log_probs: FloatArray, text: Sequence[int], blank: int, delimiter: int) -> Labels:
    """Return the labels `(n,)` of the best path through `log_probs` `(n, vocabulary)` that collapses to `text`.

    text: labels without blanks, words with one delimiter between them. Delimiters heard at either end, or more than
    one between two words, count like blanks there. Raises ValueError for too few frames: one is needed for each
    label, and one between equal neighbours.

    Viterbi's search over the lattice of Graves et al. 2006, section 4.1: blank, label, blank, …, blank.
    """
    repeats = sum(one == other for one, other in pairwise(text))
    if len(log_probs) < len(text) + repeats:
        raise ValueError("too few frames for the text")
    labels = np.full(2 * len(text) + 1, blank, np.intp)
    labels[1::2] = text
    scores = log_probs[:, labels].astype(np.float64)
    bounded = np.concatenate(([delimiter], labels[1::2], [delimiter])) == delimiter
    pauses = 2 * np.flatnonzero(bounded[:-1] | bounded[1:])
    scores[:, pauses] = np.maximum(scores[:, pauses], log_probs[:, [delimiter]])

    skips = np.full(len(labels), -np.inf)  # from one label to the next, unless they are the same
    skips[3::2][labels[3::2] != labels[1:-2:2]] = 0.0
    start = np.full(len(labels), -np.inf)
    start[:2] = 0.0
    steps = np.zeros(scores.shape, np.int8)
    best = start + scores[0] if len(scores) else start
    for frame in range(1, len(scores)):
        moves = np.full((3, len(labels)), -np.inf)
        moves[0], moves[1, 1:], moves[2, 2:] = best, best[:-1], best[:-2]
        moves[2] += skips
        steps[frame] = moves.argmax(axis=0)
        best = moves.max(axis=0) + scores[frame]
    state = len(labels) - 1 - int(len(labels) > 1 and best[-2] > best[-1])
    path = np.empty(len(scores), np.intp)
    for frame in range(len(scores) - 1, -1, -1):
        path[frame] = labels[state]
        state -= int(steps[frame, state])
    return path

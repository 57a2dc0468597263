"""Forced alignment: the likeliest path through the frames that spells a known text.

The Viterbi algorithm on CTC's lattice (Graves et al. 2006, section 4.1): blanks may stand between letters, and
must between equal ones.
"""

from collections.abc import Sequence

import numpy as np

from asrd.core.flow import FloatArray
from asrd.daemon.decoding.path import Labels
from asrd.models import Vocabulary


def align(log_probs: FloatArray, text: str, vocabulary: Vocabulary) -> Labels | None:
    """One label a frame, None where the text is too long for the frames.

    log_probs: `(frames, vocabulary)`. text: words in the model's letters, one space between them. Raises KeyError for
    other letters.
    """
    indices = {token: index for index, token in enumerate(vocabulary.tokens)}
    if vocabulary.delimiter is not None:
        indices[" "] = vocabulary.delimiter
    states = np.full(2 * len(text) + 1, vocabulary.blank)
    states[1::2] = [indices[letter] for letter in text]
    skips = np.zeros(len(states), bool)
    skips[2:] = (states[2:] != vocabulary.blank) & (states[2:] != states[:-2])
    never = np.full(2, -np.inf, np.float32)
    scores = np.where(np.arange(len(states)) < 2, log_probs[0, states], -np.inf)
    steps = np.zeros((len(log_probs), len(states)), np.int8)
    for frame in range(1, len(log_probs)):
        before = np.concatenate([never, scores])
        options = np.stack([scores, before[1:-1], np.where(skips, before[:-2], -np.inf)])
        steps[frame] = options.argmax(axis=0)
        scores = options.max(axis=0) + log_probs[frame, states]
    ends = range(max(0, len(states) - 2), len(states))
    state = max(ends, key=lambda end: scores[end])
    return None if np.isinf(scores[state]) else states[_trace(steps, state)]


def _trace(steps: "np.typing.NDArray[np.int8]", state: int) -> Sequence[int]:
    """The states that led to the last one."""
    path = [state]
    for row in steps[:0:-1]:
        path.append(path[-1] - int(row[path[-1]]))
    return path[::-1]

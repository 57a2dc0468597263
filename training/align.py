"""Find when each letter is said, by forced alignment with the network that has just learnt to spell.

The most probable CTC path through a known text (Viterbi 1967) gives the frames of each letter. That is precise enough
to cut windows, and to take words out of a sentence.
"""

from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from asrd.core.errors import ModelError
from asrd.core.flow import FloatArray
from asrd.training.frontend import GEOMETRY

SUFFIX = ".letters.npz"
"""Suffix of the file of letter positions beside a shard."""

IMPOSSIBLE = -99.0
"""Score of a text that has no path through the frames."""

_MIDDLE = GEOMETRY.receptive_field // 2


def path(log_probs: FloatArray, letters: list[int], blank: int = 0) -> tuple[np.ndarray, float]:
    """Find the most probable CTC path of `letters`, and its log-probability per frame.

    log_probs: `(frames, labels)`. Returns the first and the last frame of each letter, `(letters, 2)`, and the score.
    Where there are too few frames all are 0, and the score is `IMPOSSIBLE`.
    """
    frames, states = len(log_probs), 2 * len(letters) + 1  # a blank before, between and after letters
    repeats = sum(a == b for a, b in pairwise(letters))
    if not letters or frames < len(letters) + repeats:
        return np.zeros((len(letters), 2), np.int64), IMPOSSIBLE
    labels = np.full(states, blank)
    labels[1::2] = letters
    may_skip = np.zeros(states, bool)  # the blank between two different letters
    may_skip[3::2] = labels[3::2] != labels[1:-2:2]
    scores = np.full(states, -np.inf, np.float32)
    scores[:2] = log_probs[0, labels[:2]]
    steps = np.zeros((frames, states), np.int8)  # how many states back each path came from
    for frame in range(1, frames):
        ways = np.full((3, states), -np.inf, np.float32)
        ways[0] = scores
        ways[1, 1:] = scores[:-1]
        ways[2, 2:] = np.where(may_skip[2:], scores[:-2], -np.inf)
        steps[frame] = ways.argmax(0)
        scores = ways.max(0) + log_probs[frame, labels]
    state = states - 1 if scores[-1] > scores[-2] else states - 2
    score = float(scores[state]) / frames
    found = np.zeros((len(letters), 2), np.int64)
    for frame in range(frames - 1, -1, -1):
        if state % 2:
            letter = state // 2
            found[letter, 1] = max(found[letter, 1], frame)
            found[letter, 0] = frame
        state -= int(steps[frame, state])
    return found, score


def samples(found: np.ndarray) -> np.ndarray:
    """Convert frames to the samples in the middle of their receptive fields."""
    return found * GEOMETRY.stride + _MIDDLE


class Positions:
    """Positions of the letters of a shard's utterances."""

    def __init__(self, spans: list[np.ndarray], scores: list[float]) -> None:
        """spans: for each utterance, the first and last sample of each letter, `(letters, 2)`. scores: of their
        alignments.
        """
        self.spans, self.scores = spans, scores

    def save(self, shard: Path) -> None:
        """Save atomically, beside the shard."""
        ends = np.cumsum([len(one) for one in self.spans], dtype=np.int64)
        flat = np.concatenate([np.zeros((0, 2)), *self.spans]).astype(np.int32)
        partial = shard.with_suffix(".partial-letters")
        with partial.open("wb") as file:
            np.savez(file, spans=flat, ends=ends, scores=np.array(self.scores, np.float32))
        partial.replace(shard.with_suffix(SUFFIX))

    @classmethod
    def load(cls, shard: Path) -> "Positions":
        """Load a shard's positions. Raises ModelError where they are missing or damaged."""
        file = shard.with_suffix(SUFFIX)
        try:
            with np.load(file) as stored:
                spans = np.split(stored["spans"], stored["ends"][:-1]) if len(stored["ends"]) else []
                return cls(spans, stored["scores"].tolist())
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise ModelError(f"{file} cannot be read; delete it, and the same command makes it again") from error


def is_aligned(shard: Path) -> bool:
    """Return whether the letters of a shard have positions."""
    return shard.with_suffix(SUFFIX).is_file()

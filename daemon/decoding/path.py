"""From a CTC path, which is one label a frame, to words: merge repeats, drop blanks.

Graves et al. 2006, "Connectionist temporal classification", section 3. Whichever decoder chose the
path, its words get their times and confidences here.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asrd.core.flow import Hypothesis, Word
from asrd.core.units import Samples
from asrd.daemon.stitcher import Frames
from asrd.models import Vocabulary

Labels = npt.NDArray[np.intp]
"""One label a frame: int `(n,)`, indices into the vocabulary."""


def follow(labels: Labels, frames: Frames, vocabulary: Vocabulary, stride: Samples, settled: int) -> Hypothesis:
    """The words of a path through the frames.

    settled: how many leading labels will not change. Merging repeats and dropping blanks only
    ever appends when labels are appended, so the text of the settled ones is a stable prefix.
    """
    runs = _runs(labels, frames, vocabulary, stride)
    words = tuple(_word(letters, vocabulary) for letters in _split(runs, vocabulary))
    stable = [run for run in runs if run.frame < settled]
    lengths = [word.end - word.start for word in words]
    weighted = sum(length * word.confidence for length, word in zip(lengths, words, strict=True))
    return Hypothesis(
        text=" ".join(word.text for word in words),
        words=words,
        stable=len(" ".join(_spell(letters, vocabulary) for letters in _split(stable, vocabulary))),
        confidence=weighted / sum(lengths) if words else 0.0,
    )


class _Run(NamedTuple):
    """Neighbouring frames with one label: the first one's index, their stretch of the stream, how
    many they are and their summed log-probability.
    """

    label: int
    frame: int
    start: int
    end: int
    frames: int
    score: float


def _runs(labels: Labels, frames: Frames, vocabulary: Vocabulary, stride: Samples) -> list[_Run]:
    """The path's runs, without blanks and without labels that are never text (sentence marks)."""
    if not len(labels):
        return []
    firsts = np.flatnonzero(np.diff(labels, prepend=-1))
    lasts = np.append(firsts[1:], len(labels)) - 1
    scores = np.take_along_axis(frames.log_probs, labels[:, None], axis=1)[:, 0]
    columns = (
        labels[firsts],
        firsts,
        frames.positions[firsts],
        frames.positions[lasts] + stride,
        lasts - firsts + 1,
        np.add.reduceat(scores, firsts, dtype=np.float64),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    silent = vocabulary.special | {vocabulary.blank}
    return [run for run in map(_Run._make, rows) if run.label not in silent]


def _split(runs: Sequence[_Run], vocabulary: Vocabulary) -> Iterator[list[_Run]]:
    """The runs of each word."""
    for delimiter, letters in groupby(runs, key=lambda run: run.label == vocabulary.delimiter):
        if not delimiter:
            yield list(letters)


def _spell(letters: Sequence[_Run], vocabulary: Vocabulary) -> str:
    return "".join(vocabulary.tokens[run.label] for run in letters)


def _word(letters: Sequence[_Run], vocabulary: Vocabulary) -> Word:
    """Confidence is the geometric mean of the probabilities of the letters' frames."""
    return Word(
        text=_spell(letters, vocabulary),
        start=Samples(letters[0].start),
        end=Samples(letters[-1].end),
        confidence=math.exp(sum(run.score for run in letters) / sum(run.frames for run in letters)),
    )

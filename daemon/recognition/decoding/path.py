"""Turn a CTC path, which is one label per frame, into words: merge repeats, drop blanks.

Graves et al. 2006, "Connectionist temporal classification", section 3. Whichever decoder chose the path, its words
get their times and confidences here, with the model's calibration.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asrd.core.flow import Hypothesis, Word
from asrd.core.script import join, unspaced
from asrd.core.units import Samples
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.times import place
from asrd.models import Vocabulary
from asrd.models.calibration import UNCALIBRATED, Calibration, Evidence

Labels = npt.NDArray[np.intp]
"""One label per frame: int `(n,)`, indices into the vocabulary."""


class Found(NamedTuple):
    """A word of a path before calibration. start, end: stream positions of its letters' frames."""

    text: str
    start: int
    end: int
    evidence: Evidence


def follow(
    labels: Labels,
    frames: Frames,
    vocabulary: Vocabulary,
    stride: Samples,
    settled: int,
    *,
    calibration: Calibration = UNCALIBRATED,
) -> Hypothesis:
    """Return the words of a path through the frames.

    settled: number of leading labels that will not change. Appending labels only ever appends to the text, because
    repeats are merged and blanks dropped; so the text of the settled labels is a stable prefix.
    """
    runs = _runs(labels, frames, vocabulary, stride)
    found = [_found(letters, vocabulary) for letters in _split(runs, vocabulary)]
    if not found:
        return Hypothesis("")
    times = place([(word.start, word.end) for word in found], calibration, frames.bounds)
    words = tuple(
        Word(word.text, start, end, calibration.confidence(word.evidence))
        for word, (start, end) in zip(found, times, strict=True)
    )
    stable = [run for run in runs if run.frame < settled]
    return Hypothesis(
        text=_text([word.text for word in words], vocabulary),
        words=words,
        stable=len(_text([_spell(letters, vocabulary) for letters in _split(stable, vocabulary)], vocabulary)),
        confidence=sum(word.confidence for word in words) / len(words),
    )


def words(labels: Labels, frames: Frames, vocabulary: Vocabulary, stride: Samples) -> list[Found]:
    """Return the words of a path, from which `asrd calibrate-confidence` learns."""
    runs = _runs(labels, frames, vocabulary, stride)
    return [_found(letters, vocabulary) for letters in _split(runs, vocabulary)]


class _Run(NamedTuple):
    """A run of neighbouring frames with one label.

    frame: index of the first frame. start, end: stream positions of the run. frames: their number. score: their
    summed log-probability.
    """

    label: int
    frame: int
    start: int
    end: int
    frames: int
    score: float


def _runs(labels: Labels, frames: Frames, vocabulary: Vocabulary, stride: Samples) -> list[_Run]:
    """Return the path's runs, without blanks and without labels that are never text (sentence marks)."""
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
    """Yield the runs of each word. Where nothing marks the ends of words, letters of scripts without spaces are words
    of their own, and so is all between them.
    """
    if vocabulary.delimiter is None:
        for alone, group in groupby(runs, key=lambda run: all(map(unspaced, vocabulary.spell([run.label])))):
            part = list(group)
            yield from ([run] for run in part) if alone else [part]
        return
    for delimiter, letters in groupby(runs, key=lambda run: run.label == vocabulary.delimiter):
        if not delimiter:
            yield list(letters)


def _text(words: Sequence[str], vocabulary: Vocabulary) -> str:
    """Return words as the model's tokenizer writes them."""
    return join(words) if vocabulary.delimiter is None else " ".join(words)


def _spell(letters: Sequence[_Run], vocabulary: Vocabulary) -> str:
    return vocabulary.spell(run.label for run in letters)


def _found(letters: Sequence[_Run], vocabulary: Vocabulary) -> Found:
    evidence = Evidence(
        mean=sum(run.score for run in letters) / sum(run.frames for run in letters),
        least=min(run.score / run.frames for run in letters),
        letters=math.log(len(letters)),
    )
    return Found(_spell(letters, vocabulary), letters[0].start, letters[-1].end, evidence)

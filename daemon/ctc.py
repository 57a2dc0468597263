"""From log-probabilities to words: greedy CTC decoding.

Graves et al. 2006, "Connectionist temporal classification", section 3: take the likeliest label of
each frame, merge repeats, drop blanks.
"""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from asrd.core.flow import FloatArray, Hypothesis, Word
from asrd.core.units import Samples
from asrd.daemon.stitcher import Frames
from asrd.models import Vocabulary


def log_softmax(logits: FloatArray) -> FloatArray:
    """Log-probabilities over the last axis, computed without overflow."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def greedy(frames: Frames, vocabulary: Vocabulary, stride: Samples, settled: int) -> Hypothesis:
    """The best path's words.

    settled: how many leading frames will not change. Merging repeats and dropping blanks only
    ever appends when frames are appended, so the text of the settled frames is a stable prefix.
    """
    words = _words(frames, vocabulary, stride)
    stable = _words(Frames(frames.log_probs[:settled], frames.positions[:settled]), vocabulary, stride)
    text = " ".join(word.text for word in words)
    lengths = np.array([word.end - word.start for word in words], np.float64)
    confidences = np.array([word.confidence for word in words], np.float64)
    confidence = float(lengths @ confidences / lengths.sum()) if words else 0.0
    return Hypothesis(text, tuple(words), len(" ".join(word.text for word in stable)), confidence)


def _words(frames: Frames, vocabulary: Vocabulary, stride: Samples) -> list[Word]:
    """Words with times and confidences.

    Labels that are never text (sentence marks, unknown) are taken out before repeats are merged,
    as transformers' Wav2Vec2CTCTokenizer does.
    """
    labels = frames.log_probs.argmax(axis=1)
    spoken = ~np.isin(labels, list(vocabulary.special))
    labels, positions = labels[spoken], frames.positions[spoken]
    if not len(labels):
        return []
    scores = frames.log_probs.max(axis=1)[spoken]
    firsts = np.flatnonzero(np.diff(labels, prepend=-1))
    lasts = np.append(firsts[1:], len(labels)) - 1
    runs = [
        _Run(int(label), int(start), int(end) + stride, float(score), int(length))
        for label, start, end, score, length in zip(
            labels[firsts],
            positions[firsts],
            positions[lasts],
            np.add.reduceat(scores, firsts),
            lasts - firsts + 1,
            strict=True,
        )
        if label != vocabulary.blank
    ]
    words = []
    for delimiter, letters in groupby(runs, key=lambda run: run.label == vocabulary.delimiter):
        if not delimiter:
            words.append(_word(list(letters), vocabulary))
    return words


class _Run(NamedTuple):
    """Neighbouring frames with one label: their stretch of the stream, and their summed log-probability."""

    label: int
    start: int
    end: int
    score: float
    frames: int


def _word(letters: Sequence[_Run], vocabulary: Vocabulary) -> Word:
    """Confidence is the geometric mean of the probabilities of the letters' frames."""
    return Word(
        text="".join(vocabulary.tokens[run.label] for run in letters),
        start=Samples(letters[0].start),
        end=Samples(letters[-1].end),
        confidence=math.exp(sum(run.score for run in letters) / sum(run.frames for run in letters)),
    )

"""Measure word times against known ones, and fit how far words reach beyond their letters.

Known times come from flite, which reports when each phone of what it speaks ends. The frames of a word are found in
two ways: by the recogniser, for the words it gets right, and by forced alignment of the known text, so that a model
that gets few words right can be judged as well.
"""

import string
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

import jiwer
import numpy as np

from asrd.backends import Backend
from asrd.core.units import SAMPLE_RATE, Samples, samples
from asrd.daemon.recognition.decoding.align import align
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.path import Labels, words
from asrd.daemon.recognition.decoding.times import Span, place
from asrd.models import Vocabulary
from asrd.models.calibration import Calibration
from asrd.models.speech.timed import Timed, timed
from asrd.quant.evaluation.frames import utterances

SILENCE = np.zeros(samples(0.4), np.float32)
"""Silence before and after each sentence."""

FITTED_ON, MEASURED_ON = ("awb", "rms"), ("kal16", "slt")
"""flite's voices to fit and to measure on."""


class Pair(NamedTuple):
    """A word's index among the letters' spans, and its true time."""

    word: int
    truth: Span


@dataclass(frozen=True, slots=True)
class Sentence:
    """One utterance: spans of its words' letters, its bounds, and which of the words are known."""

    letters: list[Span]
    bounds: Span
    pairs: list[Pair]


class Errors(NamedTuple):
    """Mean absolute errors of word starts and ends in milliseconds, over so many words."""

    start: float
    end: float
    words: int


def sentences(
    backend: Backend, voices: Sequence[str], count: int, seed: int, advance: Callable[[], None] = lambda: None
) -> tuple[list[Sentence], list[Sentence]]:
    """Speak `count` sentences in each voice; return them by forced alignment, and as recognised.

    Sentences that the VAD cuts in two are left out. Raises FileNotFoundError without flite.
    """
    forced, recognised, vocabulary = [], [], backend.model.vocabulary
    for voice in voices:
        for one in timed(voice, count, seed):
            found = utterances(backend, np.concatenate([SILENCE, one.pcm, SILENCE]))
            advance()
            if len(found) == 1:
                with suppress(ValueError):  # more letters than frames
                    forced.append(_sentence(backend, found[0], _aligned(found[0], one, vocabulary), one))
                recognised.append(_sentence(backend, found[0], found[0].log_probs.argmax(axis=1), one))
    return forced, recognised


def errors(heard: Sequence[Sentence], calibration: Calibration) -> Errors:
    """Measure how far words lie from where they were spoken, their times placed by a calibration."""
    found = list(_differences(heard, calibration))
    start, end = np.abs(found).mean(axis=0) * 1000 / SAMPLE_RATE if found else (np.nan, np.nan)
    return Errors(float(start), float(end), len(found))


def fit(heard: Sequence[Sentence], calibration: Calibration, stride: Samples) -> Calibration:
    """Find the reaches that make starts and ends err least, in steps of an eighth of a frame.

    Returns the same calibration if no word's time is known.
    """
    if not any(one.pairs for one in heard):
        return calibration
    reaches = range(-stride, 3 * stride, stride // 8)
    for _ in range(2):  # the two affect each other only where words touch
        befores = [replace(calibration, before=reach) for reach in reaches]
        calibration = min(befores, key=lambda one: sum(errors(heard, one)[:2]))
        afters = [replace(calibration, after=reach) for reach in reaches]
        calibration = min(afters, key=lambda one: sum(errors(heard, one)[:2]))
    return calibration


def spells(vocabulary: Vocabulary) -> bool:
    """Return whether a model has word boundaries and the letters of English, in either case: forced alignment needs
    them.
    """
    return vocabulary.delimiter is not None and bool(_case(vocabulary))


def _case(vocabulary: Vocabulary) -> str:
    """Return the case of its letters: "upper", "lower", or "" for neither."""
    cases = {"upper": string.ascii_uppercase, "lower": string.ascii_lowercase}
    return next((case for case, letters in cases.items() if set(letters) <= set(vocabulary.tokens)), "")


def _aligned(frames: Frames, one: Timed, vocabulary: Vocabulary) -> Labels:
    """Return the sentence's likeliest path."""
    assert vocabulary.delimiter is not None  # `spells` has checked it
    texts = [word.word.lower() if _case(vocabulary) == "lower" else word.word for word in one.words]
    letters = [[vocabulary.tokens.index(letter) for letter in text] for text in texts]
    labels = [label for word in letters for label in (vocabulary.delimiter, *word)][1:]
    return align(frames.log_probs, labels, vocabulary.blank, vocabulary.delimiter)


def _sentence(backend: Backend, frames: Frames, labels: Labels, one: Timed) -> Sentence:
    stride = backend.model.geometry.stride
    found = words(labels, frames, backend.model.vocabulary, stride)
    return Sentence(
        letters=[(word.start, word.end) for word in found],
        bounds=frames.bounds,
        pairs=list(_pairs([word.text for word in found], one)),
    )


def _pairs(found: Sequence[str], one: Timed) -> Iterator[Pair]:
    """Yield the words that are right, by jiwer's alignment, which is that of the word error rate."""
    if not found:
        return
    [chunks] = jiwer.process_words(" ".join(word.word for word in one.words), " ".join(found).upper()).alignments
    for chunk in chunks:
        if chunk.type == "equal":
            for offset in range(chunk.ref_end_idx - chunk.ref_start_idx):
                _, start, end = one.words[chunk.ref_start_idx + offset]
                yield Pair(chunk.hyp_start_idx + offset, (start + len(SILENCE), end + len(SILENCE)))


def _differences(heard: Sequence[Sentence], calibration: Calibration) -> Iterator[tuple[int, int]]:
    """Yield start and end of each known word, in samples after the true ones."""
    for one in heard:
        times = place(one.letters, calibration, one.bounds)
        for word, (start, end) in one.pairs:
            yield times[word][0] - start, times[word][1] - end

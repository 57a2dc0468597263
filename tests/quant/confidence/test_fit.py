"""Confidences are fitted to words that were right and wrong."""

import math

import numpy as np
import pytest

from asrd.core.errors import UsageError
from asrd.models.calibration import UNCALIBRATED, Confidence, Evidence
from asrd.quant.confidence.calibrate import learn_confidence
from asrd.quant.confidence.examples import Example, Transcript, right
from asrd.quant.confidence.fit import fit, held_out
from asrd.quant.confidence.reliability import Item, reliability

TRUE = Confidence(1.0, Evidence(mean=2.0, least=1.0, letters=-0.5))


def speech(speakers: int, words: int, truth: Confidence, seed: int = 0) -> list[Transcript]:
    """Make words that are right as often as the true probability says."""
    chance = np.random.default_rng(seed)

    def word() -> Example:
        mean = -chance.exponential(0.5)
        evidence = Evidence(mean, mean - chance.exponential(0.5), math.log(chance.integers(1, 10)))
        return Example(evidence, bool(chance.random() < truth.of(evidence)))

    return [Transcript(f"speaker {number}", [word() for _ in range(words)]) for number in range(speakers)]


def test_probabilities_are_learned() -> None:
    examples = [word for one in speech(10, 400, TRUE) for word in one.words]
    learned = fit(examples)
    assert [learned.bias, *learned.weights] == pytest.approx([TRUE.bias, *TRUE.weights], abs=0.35)
    items = [
        Item(learned.of(word.evidence), float(word.right), 0) for one in speech(5, 400, TRUE, 1) for word in one.words
    ]
    assert reliability(items, resamples=1).ece < 0.04


def test_being_surer_never_makes_a_word_less_likely() -> None:
    perverse = Confidence(0.0, Evidence(mean=-3.0, least=0.5, letters=0.0))
    learned = fit([word for one in speech(5, 200, perverse) for word in one.words])
    assert learned.weights.mean >= 0
    assert learned.weights.least >= 0


@pytest.mark.parametrize("known", [True, False])
def test_words_that_are_all_right_or_all_wrong(known: bool) -> None:
    words = [word._replace(right=known) for one in speech(2, 50, TRUE) for word in one.words]
    confidences = [fit(words).of(word.evidence) for word in words]
    assert all(0.8 < one <= 1 if known else 0 <= one < 0.2 for one in confidences)


def test_a_speaker_is_judged_by_a_map_that_never_heard_him() -> None:
    spoken = speech(2, 50, TRUE)
    first, second = held_out(spoken)
    assert (first, second) == (fit(spoken[1].words), fit(spoken[0].words))


SILENT = [Transcript(f"silent {number}", []) for number in range(5)]


@pytest.mark.parametrize(
    ("spoken", "message"),
    [
        (speech(1, 50, TRUE), "one speaker"),
        ([*speech(1, 50, TRUE), *SILENT[:1]], "one speaker"),
        ([*speech(1, 50, TRUE), *SILENT], "one speaker"),
        (SILENT, "nothing was recognised"),
        (SILENT[:1], "nothing was recognised"),
    ],
    ids=["one", "one and another unheard", "one and others unheard", "none was heard", "the only one was not heard"],
)
def test_too_little_speech_is_one_line(spoken: list[Transcript], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        learn_confidence({"speech": spoken}, UNCALIBRATED)


def test_speakers_of_whom_nothing_was_recognised_are_no_obstacle() -> None:
    assert len(held_out([*speech(2, 50, TRUE), *SILENT])) == 2 + len(SILENT)


@pytest.mark.parametrize(
    ("reference", "heard", "known"),
    [
        ("The cat sat.", ["THE", "CAT", "SAT"], [True, True, True]),
        ("THE CAT SAT", ["CAT", "SET"], [True, False]),
        ("THE CAT", ["THE", "BIG", "CAT"], [True, False, True]),
        ("WELL-KNOWN CAT", ["WELL-KNOWN", "CAP"], [True, False]),
        ("THE CAT", ["...", "CAT"], [False, True]),
        ("", ["UH"], [False]),
        ("THE CAT", [], []),
    ],
)
def test_which_words_are_right(reference: str, heard: list[str], known: list[bool]) -> None:
    assert right(reference, heard) == known

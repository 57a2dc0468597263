"""The recogniser's answer to a window says where words are."""

import numpy as np
import pytest

from asrd.core.flow import NOBODY, Emission, Level, Window
from asrd.core.units import Samples
from asrd.daemon.recognition.answers import SPELLED, answer
from asrd.models import ModelDirectory


def spelled(model: ModelDirectory, text: str) -> Emission:
    """Make three frames per letter, of which the letter has the first."""
    rows = np.full((3 * len(text) + 3, len(model.vocabulary)), -20.0, np.float32)
    rows[:, model.vocabulary.blank] = -0.1
    for number, letter in enumerate(text, 1):
        label = model.vocabulary.delimiter if letter == " " else model.vocabulary.tokens.index(letter)
        rows[3 * number] = -20.0
        rows[3 * number, label] = -0.1
    return Emission(rows, Samples(0), model.geometry.stride)


@pytest.mark.parametrize(
    ("text", "utterance", "words"),
    [
        ("", 0, 0),
        ("T", 0, 1),
        ("T A", 0, 2),
        ("T", NOBODY, 0),
        ("T A", NOBODY, 0),
        ("YES", NOBODY, 1),
        ("I AM", NOBODY, 2),
    ],
)
def test_a_voice_without_words_must_say_more_than_a_letter_or_two(
    bundled: ModelDirectory, text: str, utterance: int, words: int
) -> None:
    """While an utterance is open, one letter is enough: it may be the end of a word that the window does not hold."""
    emission = spelled(bundled, text)
    pcm = np.zeros(bundled.geometry.stride * len(emission.log_probs), np.float32)
    window = Window(utterance, Samples(0), pcm, Samples(0), Samples(0), Level(0.0, 1.0), provisional=True, probe=True)
    told = answer(window, emission, bundled)
    assert len(told.words) == words
    assert (len(text.replace(" ", "")) >= SPELLED) <= bool(told.words)

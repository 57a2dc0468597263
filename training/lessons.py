"""Prepare speech for fine-tuning: split the clips, and turn each into samples and labels."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.models import ModelDirectory
from asrd.models.vocabulary import Vocabulary
from asrd.quant.data import Clip, read
from asrd.quant.data.text import normalize_text

LONGEST_S = 20.0
"""Longer clips are left out: memory grows with their length, and for attention with its square."""

FEWEST = 10
"""Fewest clips, of which 2 are for the test."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Clips to learn from, to decide when to stop, and to measure the gain on; no text is in two parts."""

    training: list[Clip]
    validation: list[Clip]
    test: list[Clip]


@dataclass(frozen=True, slots=True)
class Example:
    """A clip to learn from. pcm: `(samples,)`. letters: labels of what it says."""

    pcm: FloatArray
    letters: list[int]


def divide(clips: Sequence[Clip], seed: int) -> Parts:
    """Split clips by text: a fifth for the test, a tenth for validation, the rest for training.

    The same seed gives the same split. Raises UsageError for fewer clips than `FEWEST`, or fewer than 3 different
    texts.
    """
    by_text: dict[str, list[Clip]] = {}
    for clip in clips:
        by_text.setdefault(normalize_text(clip.text), []).append(clip)
    if len(clips) < FEWEST or len(by_text) < 3:
        raise UsageError(
            f"there are {len(clips)} clips of {len(by_text)} texts; record {FEWEST} or more, better a hundred"
        )
    texts = random.Random(seed).sample(sorted(by_text), len(by_text))
    test = max(1, len(texts) // 5)
    validation = max(1, len(texts) // 10)
    cuts = (texts[test + validation :], texts[test : test + validation], texts[:test])
    return Parts(*([clip for text in part for clip in by_text[text]] for part in cuts))


def examples(model: ModelDirectory, clips: Sequence[Clip]) -> list[Example]:
    """Read the clips that are short enough. Characters that the model has no label for are left out of the text."""
    found = []
    for clip in clips:
        pcm, letters = read(clip), spell(clip.text, model.vocabulary)
        if len(pcm) <= LONGEST_S * SAMPLE_RATE and model.geometry.frames(len(pcm)) > len(letters) > 0:
            found.append(Example(pcm, letters))
    return found


def spell(text: str, vocabulary: Vocabulary) -> list[int]:
    """Return the labels of a text, in the model's own case."""
    words = (index for index in range(len(vocabulary)) if index not in vocabulary.special | {vocabulary.blank})
    letters = {normalize_text(vocabulary.tokens[index]): index for index in words}
    space = letters.get("") if vocabulary.delimiter is None else vocabulary.delimiter
    said = (space if letter == " " else letters.get(letter) for letter in normalize_text(text))
    return [index for index in said if index is not None]

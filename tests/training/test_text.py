"""Text is prepared for reading aloud, and spelled as the model does."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.models.vocabulary import Vocabulary
from asrd.training import numbers
from asrd.training.corpus import Corpus
from asrd.training.lessons import spell
from asrd.training.text import labels, sentences
from asrd.training.vocabulary import LABELS, spelling


@given(st.text())
def test_labels_can_be_spelled_and_stay_as_they_are(text: str) -> None:
    spelled = labels(text)
    assert re.fullmatch(r"([A-Z][A-Z']*[A-Z]|[A-Z])( ([A-Z][A-Z']*[A-Z]|[A-Z]))*|", spelled)
    assert labels(spelled) == spelled
    assert len(spelling(spelled)) == len(spelled)


def test_typography_and_accents() -> None:
    assert labels("The café’s ‘first’ guest—Zoë—didn't  pay.") == "THE CAFE'S FIRST GUEST ZOE DIDN'T PAY"


@given(st.text(alphabet="abc .,!?'2*\n", max_size=200))
def test_sentences_can_be_read_as_they_stand(prose: str) -> None:
    for sentence in sentences(prose):
        assert not re.search(r"[0-9*]", sentence)
        assert 2 <= len(sentence.split()) <= 40


def test_sentences_end_where_they_end() -> None:
    prose = "He came in. It cost 3 pounds! “Who is there?” asked *she*;\nnobody said a word"
    assert list(sentences(prose)) == ["He came in.", "Who is there? asked she;", "nobody said a word"]


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (90, "ninety"),
        (105, "one hundred five"),
        (2026, "two thousand twenty six"),
        (999_999, "nine hundred ninety nine thousand nine hundred ninety nine"),
    ],
)
def test_numbers_as_they_are_said(n: int, said: str) -> None:
    assert numbers.number(n) == said


@given(st.integers(0, 999_999), st.integers(0, 999_999))
def test_no_two_numbers_are_said_alike(a: int, b: int) -> None:
    assert (numbers.number(a) == numbers.number(b)) == (a == b)


def test_numbers_beyond_a_million_are_not_said() -> None:
    with pytest.raises(ValueError, match="999999"):
        numbers.number(1_000_000)


@given(st.integers(0, 2**32))
def test_phrases_with_numbers_are_words(seed: int) -> None:
    assert re.fullmatch(r"[A-Za-z ]+", numbers.phrase(random.Random(seed)))


@given(st.integers(0, 2**32))
def test_what_is_held_out_is_never_drawn(seed: int) -> None:
    corpus = Corpus({"a": ["one two", "Three four."], "empty": []}, {"a": 1.0}, ["THREE FOUR"])
    rng, same = random.Random(seed), random.Random(seed)
    drawn = [corpus.draw(rng) for _ in range(20)]
    assert "THREE FOUR" not in map(labels, drawn)
    assert drawn == [corpus.draw(same) for _ in range(20)]


def test_other_vocabularies_are_spelled_in_their_own_case() -> None:
    lower = Vocabulary(("_", "a", "b", " "), blank=0, delimiter=None, special=frozenset())
    assert spell("Ab, CAB", lower) == [1, 2, 3, 1, 2]
    upper = Vocabulary(LABELS, blank=0, delimiter=4, special=frozenset({1, 2, 3}))
    assert spell("it's A dog", upper) == spelling("IT'S A DOG")

"""Forced alignment: the text is spelled, and no other path that spells it is likelier."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.flow import FloatArray
from asrd.models import Vocabulary
from asrd.quant.trust.align import align

LETTERS = Vocabulary(("<pad>", "|", "A", "B"), blank=0, delimiter=1, special=frozenset())
texts = st.lists(st.text("AB", min_size=1, max_size=3), min_size=1, max_size=3).map(" ".join)


def emission(frames: int, seed: int) -> FloatArray:
    logits = np.random.default_rng(seed).normal(size=(frames, len(LETTERS))).astype(np.float32)
    result: FloatArray = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return result


def spelled(labels: "tuple[int, ...] | np.typing.NDArray[np.intp]") -> str:
    return "".join(" ABC"[label - 1] for label, _ in itertools.groupby(labels) if label != LETTERS.blank)


@given(texts, st.integers(0, 40), st.integers(0, 99))
def test_the_path_spells_the_text_or_there_is_none(text: str, spare: int, seed: int) -> None:
    needed = len(text) + sum(one == other for one, other in itertools.pairwise(text))
    labels = align(emission(needed + spare, seed), text, LETTERS)
    assert labels is not None
    assert len(labels) == needed + spare
    assert spelled(labels) == text
    if needed > 1:
        assert align(emission(needed - 1, seed), text, LETTERS) is None


@pytest.mark.parametrize("text", ["A", "AA", "A B", "BAB"])
@pytest.mark.parametrize("seed", range(5))
def test_no_path_is_likelier(text: str, seed: int) -> None:
    heard = emission(6, seed)
    paths = [path for path in itertools.product(range(4), repeat=6) if spelled(path) == text]
    best = max(paths, key=lambda path: sum(heard[frame, label] for frame, label in enumerate(path)))
    found = align(heard, text, LETTERS)
    assert found is not None
    assert tuple(found.tolist()) == best


def test_letters_the_model_lacks_are_named() -> None:
    with pytest.raises(KeyError, match="Z"):
        align(emission(5, 0), "Z", LETTERS)

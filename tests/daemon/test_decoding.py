"""Greedy decoding follows known paths, keeps the stable prefix, gives times and confidences, and agrees with
transformers.
"""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.flow import Hypothesis
from asrd.core.units import Samples
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.greedy import GreedyDecoder
from asrd.daemon.recognition.recognizer import log_softmax
from asrd.models import Vocabulary
from asrd.models.calibration import Calibration, Confidence, Evidence

STRIDE = Samples(100)
LETTERS = Vocabulary(("<pad>", "<s>", "|", "A", "B"), blank=0, delimiter=2, special=frozenset({1}))
LABEL = {"_": 0, "s": 1, "|": 2, "A": 3, "B": 4}


def greedy(heard: Frames, settled: int) -> Hypothesis:
    return GreedyDecoder(LETTERS, STRIDE).decode(heard, settled, last=False)


def frames(path: str, probability: float = 0.9, start: int = 1_000) -> Frames:
    """Make frames in which each label of the path has the given probability."""
    other = (1 - probability) / (len(LETTERS) - 1)
    rows = np.full((len(path), len(LETTERS)), math.log(other), np.float32)
    for row, label in zip(rows, path, strict=True):
        row[LABEL[label]] = math.log(probability)
    bounds = Samples(start), Samples(start + STRIDE * len(path))
    return Frames(rows, start + STRIDE * np.arange(len(path), dtype=np.int64), bounds)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", ""),
        ("____", ""),
        ("||_|", ""),
        ("AAA_B", "AB"),
        ("A_A", "AA"),
        ("|A||_|B|", "A B"),
        ("AsA", "AA"),
        ("sss", ""),
    ],
)
def test_the_collapsing_rule(path: str, text: str) -> None:
    assert greedy(frames(path), len(path)).text == text


def test_words_have_the_times_and_probabilities_of_their_frames() -> None:
    hypothesis = greedy(frames("_AA_B|_B", 0.8), 8)
    assert [(word.text, word.start, word.end) for word in hypothesis.words] == [
        ("AB", 1_100, 1_500),
        ("B", 1_700, 1_800),
    ]
    assert [word.confidence for word in hypothesis.words] == pytest.approx([0.8, 0.8], rel=1e-5)
    assert hypothesis.confidence == pytest.approx(0.8, rel=1e-5)


def test_where_nothing_marks_words_letters_without_spaces_are_words_of_their_own() -> None:
    """So that each has its time."""
    vocabulary = replace(LETTERS, tokens=("<pad>", "<s>", "|", "你", "好"), delimiter=None)
    heard = GreedyDecoder(vocabulary, STRIDE).decode(frames("_AA_B_AB_A"), 8, last=False)
    assert heard.text == "你好你好你"
    assert heard.stable == 4
    assert [(word.text, word.start) for word in heard.words] == [
        ("你", 1_100),
        ("好", 1_400),
        ("你", 1_600),
        ("好", 1_700),
        ("你", 1_900),
    ]


def test_an_utterance_is_as_sure_as_its_words_are_in_the_mean() -> None:
    """Calibrated, the mean is the share of words that is expected to be right."""
    calibration = Calibration(words=Confidence(1.0, Evidence(mean=2.0, least=0.0, letters=-1.0)))
    hypothesis = GreedyDecoder(LETTERS, STRIDE, calibration).decode(frames("AB|B", 0.8), 4, last=True)
    scores = [1 + 2 * math.log(0.8) - math.log(2), 1 + 2 * math.log(0.8)]
    expected = [1 / (1 + math.exp(-score)) for score in scores]
    assert [word.confidence for word in hypothesis.words] == pytest.approx(expected, rel=1e-5)
    assert hypothesis.confidence == pytest.approx(sum(expected) / 2, rel=1e-5)


HALVES = st.integers(0, STRIDE // 2 - 1)


@given(st.text("_s|AB", max_size=60), st.integers(-500, 2_000), st.integers(-500, 2_000), HALVES, HALVES)
def test_words_follow_each_other_within_the_utterance(
    path: str, before: int, after: int, late: int, early: int
) -> None:
    """late, early: how far the first frame and the last one reach beyond the utterance."""
    first, last = Samples(1_000 + late), Samples(1_000 + STRIDE * len(path) - early)
    plain = greedy(frames(path), 0).words
    heard = replace(frames(path), bounds=(first, last))
    words = GreedyDecoder(LETTERS, STRIDE, Calibration(before, after)).decode(heard, 0, last=True).words
    assert [word.text for word in words] == [word.text for word in plain]
    edges = [first, *(edge for word in words for edge in (word.start, word.end)), last]
    assert edges == sorted(edges) or not words
    for word, letters in zip(words, plain, strict=True):
        assert word.start < word.end
        assert word.start <= (letters.start + letters.end) / 2 <= word.end
        assert word.start <= max(letters.start, first) or before < 0
        assert word.end >= min(letters.end, last) or after < 0


def test_neighbours_share_the_gap_by_how_far_they_reach() -> None:
    calibration = Calibration(before=300, after=100)
    words = GreedyDecoder(LETTERS, STRIDE, calibration).decode(frames("__A_|_B_____"), 0, last=True).words
    assert [(word.start, word.end) for word in words] == [(1_000, 1_375), (1_375, 1_800)]


@given(st.text("_s|AB", max_size=40), st.text("_s|AB", max_size=40))
def test_what_is_settled_is_a_prefix_whatever_follows(settled: str, more: str) -> None:
    alone = greedy(frames(settled), len(settled))
    longer = greedy(frames(settled + more), len(settled))
    assert alone.stable == len(alone.text)
    assert longer.stable == alone.stable
    assert longer.text.startswith(alone.text)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> transformers.Wav2Vec2CTCTokenizer:
    vocabulary = tmp_path_factory.mktemp("tokenizer") / "vocab.json"
    vocabulary.write_text(json.dumps({token: index for index, token in enumerate(LETTERS.tokens)}), encoding="utf-8")
    return transformers.Wav2Vec2CTCTokenizer(vocabulary)


@given(st.text("_s|AB", max_size=60))
def test_text_is_that_of_transformers(tokenizer: transformers.Wav2Vec2CTCTokenizer, path: str) -> None:
    """transformers, unlike asrd, writes sentence marks out, and keeps spaces with nothing between them."""
    expected = tokenizer.decode([LABEL[label] for label in path]).replace("<s>", "")
    assert greedy(frames(path), 0).text == " ".join(expected.split())


def test_log_softmax_is_a_distribution_even_for_huge_logits() -> None:
    result = log_softmax(np.array([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]], np.float32))
    assert np.exp(result).sum(axis=-1) == pytest.approx([1, 1])
    assert np.isfinite(result[1]).all()

"""Beam search handles fusion, hot words and alignment, and never changes what was decided."""

import gzip
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrd.core.errors import ModelError, UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import Samples, samples
from asrd.daemon.recognition.decoding.align import align
from asrd.daemon.recognition.decoding.beam import OPEN, BeamDecoder
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.hot import Hot
from asrd.daemon.recognition.decoding.search import Candidate, Search
from asrd.models import Vocabulary
from asrd.models.calibration import UNCALIBRATED
from asrd.models.lm import DecodingSettings, resolve

from .conftest import follow_each_other

LETTERS = Vocabulary(
    ("<pad>", "<s>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ'"), blank=0, delimiter=2, special=frozenset({1})
)
STRIDE = Samples(320)
NONE = Hot({})

ARPA = r"""\data\
ngram 1=9
ngram 2=5

\1-grams:
-7.0	<unk>
-99	<s>	-0.3
-1.0	</s>
-1.5	the	-0.3
-2.0	cat	-0.3
-2.0	sat	-0.3
-3.0	cad	-0.3
-3.0	set	-0.3
-1.5	a	-0.3

\2-grams:
-0.3	<s> the
-0.4	the cat
-0.4	cat sat
-0.3	sat </s>
-0.9	a cat

\end\
"""


@pytest.fixture(scope="module")
def arpa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lm") / "cats.arpa"
    path.write_text(ARPA, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def fused(arpa: Path) -> Search:
    return Search(LETTERS, resolve(str(arpa)), DecodingSettings(lm_weight=1.0, word_bonus=2.0))


@pytest.fixture(scope="module")
def bare() -> Search:
    return Search(LETTERS, None, DecodingSettings())


@pytest.fixture(scope="module")
def searches(bare: Search, fused: Search) -> dict[str, Search]:
    return {"bare": bare, "fused": fused}


def heard(text: str, *, alternatives: dict[int, str] | None = None, certain: float = 0.9) -> FloatArray:
    """Make two frames per letter, each followed by a blank; "alternatives" are nearly as likely in a letter's place."""
    rows = []
    for place, letter in enumerate(text.replace(" ", "|")):
        label = LETTERS.tokens.index(letter)
        row = np.full(len(LETTERS), (1 - certain) / len(LETTERS))
        row[label] = certain
        if other := (alternatives or {}).get(place):
            row[label], row[LETTERS.tokens.index(other)] = 0.5, 0.4
        blank = np.full(len(LETTERS), 0.1 / len(LETTERS))
        blank[LETTERS.blank] = 0.9
        rows += [row, row, blank]
    probabilities = np.array(rows or np.zeros((0, len(LETTERS))))
    return np.log(probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)


def frames(log_probs: FloatArray) -> Frames:
    count = len(log_probs)
    return Frames(log_probs, STRIDE * np.arange(count, dtype=np.int64), (Samples(0), Samples(STRIDE * count)))


MODEL = SimpleNamespace(vocabulary=LETTERS, geometry=SimpleNamespace(stride=STRIDE), calibration=UNCALIBRATED)
"""The parts of a model that a decoder needs."""


def decode(
    search: Search, log_probs: FloatArray, hot: Hot = NONE, settled: Sequence[int] = ()
) -> list[tuple[str, int]]:
    """Return texts and stable lengths as windows settle one after another; the last is the final's."""
    decoder = BeamDecoder(search, hot, MODEL)  # type: ignore[arg-type]
    seen = [decoder.decode(frames(log_probs[: count + 7]), count, last=False) for count in settled]
    seen.append(decoder.decode(frames(log_probs), len(log_probs), last=True))
    assert all(follow_each_other(one.words, 0, STRIDE * len(log_probs)) for one in seen)
    return [(one.text, one.stable) for one in seen]


def final(search: Search, log_probs: FloatArray, hot: Hot = NONE) -> str:
    return decode(search, log_probs, hot)[-1][0]


def test_without_a_language_model_it_says_what_was_heard(bare: Search) -> None:
    assert final(bare, heard("A CAT SAT")) == "A CAT SAT"
    assert final(bare, heard("")) == ""


def test_the_language_model_decides_between_what_sounds_alike(bare: Search, fused: Search) -> None:
    doubtful = heard("THE CAD SET", alternatives={6: "T", 9: "A"})
    assert final(bare, doubtful) == "THE CAD SET"
    assert final(fused, doubtful) == "THE CAT SAT"


def test_frames_ahead_help_to_decide_but_only_settled_words_are_decided(
    bare: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames after a word help to tell which word it was, but later windows will hear them better."""
    searched, best = list[int](), bare.best
    monkeypatch.setattr(
        bare, "best", lambda log_probs, *others: searched.append(len(log_probs)) or best(log_probs, *others)
    )
    decoder = BeamDecoder(bare, NONE, MODEL)  # type: ignore[arg-type]
    known = frames(heard("A CAT SAT ON A MAT", certain=0.999)[:40])  # 3 per letter: up to the space after ON
    early = decoder.decode(known, 24, last=False)  # within SAT
    assert searched == [40]
    assert early.text[: early.stable].split() == ["A", "CAT"]
    later = decoder.decode(known, 33, last=False)  # within ON
    assert later.text[: later.stable].split() == ["A", "CAT", "SAT"]


def test_what_is_certain_is_heard_even_if_no_language_model_knows_it(fused: Search) -> None:
    assert final(fused, heard("THE CAT SAOIRSE SAT", certain=0.999)) == "THE CAT SAOIRSE SAT"


def test_an_unknown_word_costs_what_it_is_said_to(arpa: Path) -> None:
    log_probs = heard("THE CAD SIT", alternatives={9: "E"})
    texts = [
        final(
            Search(
                LETTERS, resolve(str(arpa)), DecodingSettings(lm_weight=0.03, word_bonus=2.0, unknown_penalty=penalty)
            ),
            log_probs,
        )
        for penalty in (0.0, 30.0)
    ]
    assert texts == ["THE CAD SIT", "THE CAD SET"]


def test_a_penalty_on_the_blank_lets_quiet_letters_be_heard() -> None:
    log_probs = heard("CATS")
    log_probs[9:11, LETTERS.tokens.index("S")] = np.log(0.2)
    log_probs[9:11, LETTERS.blank] = np.log(0.8)
    texts = [final(Search(LETTERS, None, DecodingSettings(blank_penalty=penalty)), log_probs) for penalty in (0.0, 2.0)]
    assert texts == ["CAT", "CATS"]


@pytest.mark.parametrize("kind", ["bare", "fused"])
def test_hot_words_turn_wrong_names_right(request: pytest.FixtureRequest, kind: str) -> None:
    search: Search = request.getfixturevalue(kind)
    doubtful = heard("THE CAT SAOIRSA SAT", alternatives={14: "E"})
    hot = search.hot({"Saoirse": 8.0})
    assert final(search, doubtful) != "THE CAT SAOIRSE SAT"
    assert final(search, doubtful, hot) == "THE CAT SAOIRSE SAT"


@given(st.lists(st.sampled_from(["THE", "CAT", "SAT", "A", "SET"]), min_size=1, max_size=6))
def test_hot_words_leave_other_text_alone(fused: Search, bare: Search, words: list[str]) -> None:
    log_probs = heard(" ".join(words))
    for search in (fused, bare):
        hot = search.hot({"Saoirse": 15.0, "Niamh": 8.0, "new york": 8.0})
        assert final(search, log_probs, hot) == final(search, log_probs)


def test_a_phrase_is_not_worth_its_parts_and_each_word_its_own_boost(bare: Search) -> None:
    hot = bare.hot({"new york": 8.0, "saoirse": 2.0, "york": 1.0})
    assert hot.bonus(("new", "yorks")) == 0
    assert hot.bonus(("new", "york", "york")) == 9
    assert hot.bonus(("saoirse", "saoirse")) == 4
    doubtful = heard("NEW FORK", alternatives={4: "Y"})
    assert final(bare, doubtful, bare.hot({"new york": 3.0})) == "NEW YORK"
    assert final(bare, heard("OLD FORK", alternatives={4: "Y"}), bare.hot({"new york": 3.0})) == "OLD FORK"


def test_a_hot_word_is_not_fined_for_being_unknown(fused: Search) -> None:
    assert fused.hot({"cat": 5.0}).worth == {("cat",): 5.0}
    assert fused.hot({"Niamh": 5.0}).worth[("niamh",)] > 5.0


def test_what_cannot_be_spelled_is_said(bare: Search) -> None:
    with pytest.raises(UsageError, match="cannot spell 'Zoë': it has no 'ë'"):
        bare.hot({"Zoë": 5.0})
    with pytest.raises(UsageError, match="at least one letter"):
        bare.words("  ")


def test_a_file_that_is_no_language_model_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.arpa"
    path.write_text("hello", encoding="utf-8")
    with pytest.raises(ModelError, match="is no language model"):
        resolve(str(path))
    with pytest.raises(UsageError, match="there is no language model 'klingon'"):
        resolve("klingon")
    path.write_bytes(gzip.compress(b"")[:10] + b"\xff" * 100)  # no block of a compressed stream begins like this
    with pytest.raises(ModelError, match="cannot be read as a language model"):
        resolve(str(path))
    path.write_text(ARPA.replace("ngram 2=5", "ngram 2=50"), encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Search(LETTERS, resolve(str(path)), DecodingSettings())


def emissions(seed: int, count: int, peak: float) -> FloatArray:
    """Make random emissions in which a few letters, delimiters and blanks share most of each frame, as an unsure
    model's do.
    """
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (count, len(LETTERS)))
    usual = [0, 0, 0, 2, *range(3, 9)]
    logits[np.arange(count), random.choice(usual, count)] += peak
    logits[np.arange(count), random.choice(usual, count)] += peak - 1
    shifted = logits - logits.max(axis=1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))).astype(np.float32)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 320),
    peak=st.floats(2, 9),
    hops=st.lists(st.integers(1, 120), max_size=12),
    boosts=st.dictionaries(st.sampled_from(["abba", "cab", "fed a", "cafe"]), st.floats(1, 20), max_size=3),
    kind=st.sampled_from(["bare", "fused"]),
)
def test_what_is_stable_is_never_taken_back(searches: dict[str, Search], **drawn: Any) -> None:
    """The stable part never changes, however the utterance is cut into windows, nor at its final."""
    search, count = searches[drawn["kind"]], drawn["count"]
    settled = [int(end) for end in np.cumsum(drawn["hops"]) if end <= count] if drawn["hops"] else []
    log_probs = emissions(drawn["seed"], count, drawn["peak"])
    seen = decode(search, log_probs, search.hot(drawn["boosts"]), settled)
    text, stable = "", 0
    for later, length in seen:
        assert later.startswith(text[:stable])
        assert length >= stable
        text, stable = later, length
    assert seen[-1][1] == len(seen[-1][0])


@pytest.mark.parametrize(("behind", "decided"), [(0.5, "A"), (2.0, "A CAT")])
def test_a_word_is_decided_when_most_of_the_probability_is_its(
    bare: Search, monkeypatch: pytest.MonkeyPatch, behind: float, decided: str
) -> None:
    """behind: nats by which the only other candidate is less likely. The last word may continue."""
    candidates = [Candidate(("a", "cat", "sat"), -3.0), Candidate(("a", "cad", "sat"), -3.0 - behind)]
    monkeypatch.setattr(bare, "best", lambda *_: candidates)
    decoder = BeamDecoder(bare, NONE, MODEL)  # type: ignore[arg-type]
    log_probs = heard("A CAT SAT")
    hypothesis = decoder.decode(frames(log_probs), len(log_probs), last=False)
    assert hypothesis.text[: hypothesis.stable] == decided


def test_what_stays_doubtful_is_decided_all_the_same(fused: Search) -> None:
    """However alike two words sound, a few seconds later the likelier one is stable."""
    said = "A CAT " * 12
    log_probs = heard(said.replace("CAT", "CCT"), alternatives=dict.fromkeys(range(3, len(said), 6), "A"), certain=0.6)
    decoder, decided = BeamDecoder(fused, NONE, MODEL), 0  # type: ignore[arg-type]
    for settled in range(10, len(log_probs), 10):
        hypothesis = decoder.decode(frames(log_probs[:settled]), settled, last=False)
        decided = len(hypothesis.text[: hypothesis.stable].split())
        undecided = hypothesis.words[decided:]
        assert not undecided or settled * STRIDE - undecided[0].start < OPEN + samples(0.6)
    assert decided > 10


@given(seed=st.integers(0, 2**32 - 1), text=st.lists(st.text("AB", min_size=1, max_size=5), max_size=4))
def test_an_alignment_spells_the_text_and_none_is_likelier(seed: int, text: list[str]) -> None:
    labels = [LETTERS.tokens.index(letter) for letter in "|".join(text)]
    log_probs = emissions(seed, 3 * len(labels) + 2, 3.0)
    path = align(log_probs, labels, LETTERS.blank, 2)
    assert spelled(path) == labels
    random = np.random.default_rng(seed)
    best = worth(log_probs, path)
    for _ in range(20):
        other = stretched(labels, len(log_probs), random)
        assert worth(log_probs, other) <= best + 1e-3


def spelled(path: FloatArray) -> list[int]:
    return [int(label) for label, before in zip(path, [-1, *path[:-1]], strict=True) if label not in (0, before)]


def stretched(labels: list[int], count: int, random: np.random.Generator) -> list[int]:
    """Draw a path that spells the labels."""
    parts = [0]
    for label in labels:
        parts += [label, 0]
    times = np.ones(len(parts), int)
    for _ in range(count - len(parts)):
        times[random.integers(len(parts))] += 1
    return [part for part, time in zip(parts, times, strict=True) for _ in range(time)]


def worth(log_probs: FloatArray, path: Sequence[int]) -> float:
    """Score a path; in pauses between words a delimiter is as good as a blank."""
    total = 0.0
    for frame, label in enumerate(path):
        total += float(log_probs[frame, label])
        if label == 0:
            before = next((one for one in reversed(path[:frame]) if one), 2)
            after = next((one for one in path[frame:] if one), 2)
            if 2 in (before, after):
                total += max(0.0, float(log_probs[frame, 2] - log_probs[frame, 0]))
    return total


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="too few frames"):
        align(heard("A")[:1], [3, 3], LETTERS.blank, 2)


def test_words_have_the_times_of_their_letters(bare: Search) -> None:
    decoder = BeamDecoder(bare, NONE, MODEL)  # type: ignore[arg-type]
    log_probs = heard("A CAT")
    hypothesis = decoder.decode(frames(log_probs), len(log_probs), last=True)
    assert [(word.text, word.start, word.end) for word in hypothesis.words] == [
        ("A", 0, 2 * STRIDE),
        ("CAT", 6 * STRIDE, 14 * STRIDE),
    ]
    assert all(math.isclose(word.confidence, 0.9, abs_tol=0.02) for word in hypothesis.words)

"""Word times are measured by flite, and their calibration is learned from that."""

import shutil

import pytest

from asrd.core.units import Samples
from asrd.models import Vocabulary
from asrd.models.calibration import UNCALIBRATED, Calibration
from asrd.models.speech.timed import timed
from asrd.quant.confidence.times import Pair, Sentence, errors, fit, spells

needs_flite = pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")


def sentence(before: int, after: int) -> Sentence:
    """Make letters that begin late and end early by the given amounts; the second and third word touch."""
    words = [(4_000, 9_000), (12_000, 17_000), (17_000, 22_000)]
    letters = [(start + before, end - after) for start, end in words]
    return Sentence(letters, (0, 30_000), [Pair(index, word) for index, word in enumerate(words)])


def test_errors_are_in_milliseconds() -> None:
    found = errors([sentence(160, 320)], UNCALIBRATED)
    assert found == (10.0, 20.0, 3)
    assert errors([sentence(160, 320)], Calibration(160, 320)) == (0.0, 0.0, 3)


def test_the_bias_is_learned() -> None:
    learned = fit([sentence(480, 320), sentence(320, 160), sentence(640, 480)], UNCALIBRATED, Samples(320))
    assert errors([sentence(480, 320)], learned)[:2] == pytest.approx((0, 0), abs=2)


def test_of_no_words_nothing_is_learned() -> None:
    assert fit([], UNCALIBRATED, Samples(320)) == UNCALIBRATED
    assert fit([Sentence([], (0, 30_000), [])], UNCALIBRATED, Samples(320)) == UNCALIBRATED


@pytest.mark.parametrize(("letters", "english"), [("AZ", True), ("az", True), ("AY", False)])
def test_a_model_must_spell_english_in_one_case(letters: str, english: bool) -> None:
    first, last = map(ord, letters)
    tokens = ("<pad>", "|", *map(chr, range(first, last + 1)))
    assert spells(Vocabulary(tokens, blank=0, delimiter=1, special=frozenset())) == english


@needs_flite
def test_flite_says_when_it_says_what() -> None:
    for one in timed("slt", 2, seed=3):
        edges = [edge for word in one.words for edge in (word.start, word.end)]
        assert edges == sorted(edges)
        assert 0 < edges[0] < edges[-1] < len(one.pcm)
        loud = [abs(one.pcm[word.start : word.end]).max() for word in one.words]
        assert min(loud) > 10 * abs(one.pcm[: edges[0] // 2]).max()

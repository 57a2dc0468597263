"""The verdict holds both rates to the bound by their intervals, and says what to do."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from asrd.core.errors import UsageError
from asrd.quant.acceptance import Proof, check_size, prove
from asrd.quant.data import Clip
from asrd.quant.recipe import Recipe

from .measured import measured

SENTENCE = "ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE TEN"
WORSE = SENTENCE.replace("TEN", "NONE")


def _prove(recipe: Recipe, texts: Sequence[str], original: str = SENTENCE, floating: Sequence[str] = ()) -> Proof:
    """Prove a model that hears `texts` where the original hears `original` and `SENTENCE` was said each time."""
    clips = [Clip(str(index), SENTENCE, Path()) for index in range(len(texts))]
    references = [SENTENCE] * len(texts)
    found = {
        "torch": measured("torch", references, [original] * len(texts)),
        "int8": measured("int8", references, texts),
    }
    return prove(recipe, clips, found, tuple(floating))


@pytest.mark.parametrize(
    ("worse", "of", "outcome"),
    [
        (0, 1, "cannot tell"),
        (0, 8, "cannot tell"),
        (0, 100, "cannot tell"),  # one utterance in 40 could be lost whole, and none be seen
        (0, 600, "holds"),
        (20, 600, "holds"),  # 0.3 points
        (50, 600, "cannot tell"),  # 0.8 points
        (200, 600, "fails"),  # 3.3 points
    ],
)
def test_the_interval_decides(worse: int, of: int, outcome: str) -> None:
    proof = _prove(Recipe(max_drop=0.01), [WORSE] * worse + [SENTENCE] * (of - worse))
    assert proof.outcome == outcome
    assert proof.accepted is (outcome == "holds")
    assert ("nothing was written" in proof.verdict) is not proof.accepted


def test_a_better_wer_does_not_excuse_a_broken_cer() -> None:
    scrambled = SENTENCE.replace("ONE", "XXXXXXXXXXXXXXXXXXX")
    original = SENTENCE.replace("TWO", "TOO").replace("ONE", "ON")
    texts = [scrambled] * 400
    assert _prove(Recipe(metric="wer"), texts, original).outcome == "holds"
    assert _prove(Recipe(), texts, original).outcome == _prove(Recipe(metric="cer"), texts, original).outcome == "fails"


def test_a_relative_bound_is_a_share_of_the_accuracy() -> None:
    half = "ONE TWO THREE FOUR FIVE NO NO NO NO NO"
    texts = [half.replace("ONE", "NO")] * 30 + [half] * 570  # 0.5 points of WER, 1 % of an accuracy of one half
    assert _prove(Recipe(max_drop=0.012, metric="wer"), texts, half).outcome == "holds"
    assert _prove(Recipe(max_drop=0.012, metric="wer", drop_type="relative"), texts, half).outcome == "cannot tell"


def test_a_model_that_hears_nothing_right_has_nothing_to_lose() -> None:
    noise = "NO NO NO NO NO NO NO NO NO NO"
    proof = _prove(Recipe(metric="wer"), [noise] * 600, noise)
    assert proof.outcome == "cannot tell"
    assert "more than 90 % wrong" in proof.verdict


def test_uncertain_models_are_written_only_when_asked_for() -> None:
    asked = _prove(Recipe(accept_uncertain=True), [SENTENCE] * 8)
    assert (asked.outcome, asked.accepted) == ("cannot tell", True)
    assert "written all the same, as asked" in asked.verdict
    assert not _prove(Recipe(accept_uncertain=True), [WORSE] * 600).accepted


def test_the_verdict_names_loss_layers_and_a_remedy() -> None:
    failed = _prove(Recipe(fast=True), [WORSE] * 600, floating=["front.1"]).verdict
    assert "INT8 raises WER by 10.00 points [+" in failed
    assert "on 6000 words it was not built on, 600 utterances" in failed
    assert "up to 1.00 may be lost" in failed
    assert "0 % of the texts are the same" in failed
    assert "in floating point: front.1" in failed
    assert "leave out --fast" in failed
    assert "--keep-float 'front.*'" in _prove(Recipe(), [WORSE] * 600).verdict


def test_an_open_verdict_says_how_much_speech_would_tell() -> None:
    verdict = _prove(Recipe(), [SENTENCE] * 100).verdict
    assert "about 3900 words (390 utterances) like these would tell" in verdict
    assert _prove(Recipe(), [SENTENCE] * 390).outcome == "holds"
    close = [WORSE if index % 10 == 0 else SENTENCE for index in range(600)]  # just the bound
    assert "no reasonable amount" in _prove(Recipe(), close).verdict


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        (Recipe(test=113), "113 utterances cannot prove a bound of 1 points, .*; 390 surely can"),
        (Recipe(test=113, drop_type="relative", max_drop=0.03), "cannot prove a bound of 3 points"),
        (Recipe(test=113, max_drop=0.03), ""),
        (Recipe(test=190), ""),
        (Recipe(test=1, accept_uncertain=True), ""),
    ],
)
def test_a_proof_that_cannot_be_is_refused_before_the_work(recipe: Recipe, told: str) -> None:
    if told:
        with pytest.raises(UsageError, match=told):
            check_size(recipe)
    else:
        check_size(recipe)


def test_a_size_that_is_refused_could_prove_nothing() -> None:
    half = "ONE TWO THREE FOUR FIVE NO NO NO NO NO"
    assert _prove(Recipe(metric="wer"), [half] * 187, half).outcome == "cannot tell"
    assert _prove(Recipe(metric="wer"), [half] * 189, half).outcome == "holds"
    check_size(Recipe(test=189))
    with pytest.raises(UsageError):
        check_size(Recipe(test=187))

"""The verdict holds both rates to the bound, and suggests what to try."""

from dataclasses import replace

import pytest

from asrd.quant.acceptance import prove
from asrd.quant.evaluation.bootstrap import Rate
from asrd.quant.evaluation.measure import Measurement
from asrd.quant.evaluation.score import Score
from asrd.quant.recipe import Recipe


def measurements(wer: float, cer: float) -> dict[str, Measurement]:
    """Return PyTorch at 50 % WER and 20 % CER, and INT8 at the given rates."""

    def one(name: str, wer: float, cer: float) -> Measurement:
        score = Score(Rate(wer, wer, wer), Rate(cer, cer, cer), 100, 500)
        return Measurement(name, "f32", (), score, (0.01,), 0.01)

    return {"torch": one("torch", 0.5, 0.2), "int8": one("int8", wer, cer)}


@pytest.mark.parametrize(
    ("wer", "cer", "drop_type", "holds"),
    [
        (0.51, 0.21, "absolute", True),
        (0.511, 0.20, "absolute", False),
        (0.40, 0.25, "absolute", False),  # a better WER does not excuse a broken CER
        (0.504, 0.20, "relative", True),
        (0.51, 0.20, "relative", False),  # one point of an accuracy of one half
    ],
)
def test_the_bound(wer: float, cer: float, drop_type: str, holds: bool) -> None:
    proof = prove(Recipe(max_drop=0.010001, drop_type=drop_type), measurements(wer, cer), ())  # type: ignore[arg-type]
    assert proof.holds is holds
    assert ("nothing was written" in proof.verdict) is not holds


def test_a_loss_as_large_as_the_bound_is_within_it() -> None:
    """This holds for any rates: their difference is rounded."""
    for errors in range(50):
        found = measurements((errors + 1) / 100, 0.2)
        found["torch"] = replace(found["torch"], score=measurements(errors / 100, 0.2)["int8"].score)
        assert prove(Recipe(max_drop=0.01), found, ()).holds


def test_the_verdict_names_loss_layers_and_a_remedy() -> None:
    failed = prove(Recipe(fast=True), measurements(0.6, 0.3), ("front.1",)).verdict
    assert "+10.00 (WER) and +10.00 (CER) points on 100 words" in failed
    assert "in floating point: front.1" in failed
    assert "leave out --fast" in failed
    assert "--keep-float 'front.*'" in prove(Recipe(), measurements(0.6, 0.3), ()).verdict

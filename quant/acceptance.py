"""Decide whether an INT8 model is good enough: on held-out speech, by both error rates."""

from collections.abc import Mapping
from dataclasses import dataclass

from asrd.quant.evaluation.measure import Measurement
from asrd.quant.evaluation.score import drop
from asrd.quant.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof of an INT8 model on the test set.

    holds: whether neither WER nor CER lost more than allowed against the original. wer, cer: accuracy lost, absolute
    or relative as the recipe says. verdict: for people.
    """

    holds: bool
    wer: float
    cer: float
    verdict: str


def prove(recipe: Recipe, measurements: Mapping[str, Measurement], floating: tuple[str, ...]) -> Proof:
    """Compare "int8" with "torch". Both rates must be within the bound: a weak model's WER saturates, and then only
    its CER shows that it has broken. floating: layers that are not in 8 bits.
    """
    original, int8 = measurements["torch"].score, measurements["int8"].score
    wer, cer = (drop(metric, original, int8, recipe.drop_type) for metric in ("wer", "cer"))
    holds = max(wer, cer) <= recipe.bound
    unit = "points" if recipe.drop_type == "absolute" else "percent of its accuracy"
    speech = "words" if recipe.same_data else "words it was not built on"
    cost = f"INT8 costs {100 * wer:+.2f} (WER) and {100 * cer:+.2f} (CER) {unit} on {int8.words} {speech}"
    kept = f"in floating point: {', '.join(floating)}" if floating else "every layer is in 8 bits"
    bound = f"{100 * recipe.max_drop:.2f}"
    if holds:
        verdict = f"{cost}; up to {bound} were allowed; {kept}"
    else:
        verdict = f"{cost}, more than the {bound} allowed; {kept}; nothing was written; {_advice(recipe, floating)}"
    return Proof(holds, wer, cer, verdict)


def _advice(recipe: Recipe, floating: tuple[str, ...]) -> str:
    """Suggest what to try next."""
    if recipe.fast:
        return "leave out --fast, so that fragile layers go back to floating point"
    if "front.1" not in floating:
        return "try --keep-float 'front.*', more --validation data, or a larger --max-drop"
    return "try more --validation and --calibration data, --preset performance, or a larger --max-drop"

"""Decide whether an INT8 model is good enough: on held-out speech, by the interval of what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from asrd.core.errors import UsageError
from asrd.core.units import counted
from asrd.quant.data import Clip
from asrd.quant.evaluation.bound import Bound
from asrd.quant.evaluation.cost import SATURATED, Cost, Texts, Z, cost, enough
from asrd.quant.evaluation.measure import Measurement, exact_match
from asrd.quant.recipe import Recipe

Outcome = Literal["fails", "cannot tell", "holds"]

OUTCOMES: tuple[Outcome, ...] = ("fails", "cannot tell", "holds")
"""Worst first."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof of an INT8 model on the test set.

    outcome: "holds" if the 95 % intervals of all that may be lost lie within the bound, "fails" if one lies beyond it,
    else "cannot tell". costs: the accuracy lost, in both error rates. accepted: whether the model may be written.
    verdict: for people.
    """

    outcome: Outcome
    costs: tuple[Cost, ...]
    accepted: bool
    verdict: str

    def plain(self) -> dict[str, Any]:
        """Return the proof as JSON can hold it: accuracy lost with the ends of its interval."""
        return {
            "outcome": self.outcome,
            "accepted": self.accepted,
            "lost": {one.metric: one.plain() for one in self.costs},
            "resampled": self.costs[0].speakers or "utterances",
        }


def prove(
    recipe: Recipe, clips: Sequence[Clip], measurements: Mapping[str, Measurement], floating: tuple[str, ...]
) -> Proof:
    """Compare "int8" with "torch", clip by clip. floating: layers that are not in 8 bits."""
    original, int8 = measurements["torch"], measurements["int8"]
    texts = Texts([clip.text for clip in clips], original.texts, int8.texts, [clip.speaker for clip in clips])
    costs = (cost("wer", texts, recipe.drop_type), cost("cer", texts, recipe.drop_type))
    held = [one for one in costs if one.metric in recipe.metrics]
    outcome = _outcome(recipe, held)
    accepted = outcome == "holds" or (outcome == "cannot tell" and recipe.accept_uncertain)
    speech = "words" if recipe.same_data else "words it was not built on"
    told = [
        f"{_TITLES[outcome]}: {_told(costs, recipe)} on {int8.score.words} {speech}, "
        f"{counted(len(clips), 'utterances')}{_speakers(costs[0])}",
        f"95 % intervals; up to {100 * recipe.max_drop:.2f} may be lost{_which(recipe)}",
        f"{100 * exact_match(int8, original):.0f} % of the texts are the same",
        f"in floating point: {', '.join(floating)}" if floating else "every layer is in 8 bits",
    ]
    if outcome == "cannot tell":
        told.append(_more(recipe, held, texts, int8.score.words))
    if accepted and outcome != "holds":
        told.append("written all the same, as asked")
    elif not accepted:
        told.append(f"nothing was written; {_advice(recipe, outcome, floating)}")
    return Proof(outcome, costs, accepted, "; ".join(told))


_TITLES = {"holds": "the bound holds", "fails": "the bound does not hold", "cannot tell": "this speech cannot tell"}


def check_size(recipe: Recipe) -> None:
    """Raise UsageError if so few utterances cannot prove the bound, however little a model costs that hears at least
    half of the words. It would be told only after all the work.
    """
    accuracy = 1.0 if recipe.drop_type == "relative" else 0.5
    if not recipe.accept_uncertain and Z * Z * accuracy > recipe.bound * (recipe.test + Z * Z):
        wanted = _round(Z * Z / recipe.bound)
        raise UsageError(
            f"{counted(recipe.test, 'utterances')} cannot prove a bound of {100 * recipe.max_drop:g} points, however "
            f"little INT8 costs; {wanted} surely can: give more with --test or --test-dataset, a larger --max-drop, or "
            "--accept-uncertain"
        )


def bound(recipe: Recipe) -> Bound:
    """Return what the recipe allows to be lost."""
    return Bound(recipe.bound, recipe.metrics, recipe.drop_type == "relative")


def _outcome(recipe: Recipe, costs: Sequence[Cost]) -> Outcome:
    """Judge all error rates that are held to the bound: a weak model's WER saturates, and then only its CER shows that
    it has broken.
    """
    judged = {bound(recipe).judge(one) for one in costs}
    return next(outcome for outcome in OUTCOMES if outcome in judged)


def _told(costs: Sequence[Cost], recipe: Recipe) -> str:
    """Tell how much each error rate changes, or how much of its accuracy is lost, each with its interval."""
    names = ("INT8", "")  # is named once
    told = (bound(recipe).change(one, name).strip() for one, name in zip(costs, names, strict=True))
    ends = (f"[{100 * one.low:+.2f}, {100 * one.high:+.2f}]" for one in costs)
    return " and ".join(f"{what} {interval}" for what, interval in zip(told, ends, strict=True))


def _speakers(one: Cost) -> str:
    return f" by {one.speakers} speakers, who were resampled" if one.speakers else ""


def _which(recipe: Recipe) -> str:
    return "" if recipe.metric == "both" else f" in {recipe.metric.upper()}"


def _more(recipe: Recipe, costs: Sequence[Cost], texts: Texts, words: int) -> str:
    """Say why the outcome is open, and how much speech would tell."""
    if any(one.saturated for one in costs):
        return (
            f"the original itself gets more than {100 * SATURATED:.0f} % wrong, so there is nothing to lose: "
            "check the language, the texts and the model"
        )
    needed = [enough(one.metric, texts, recipe.drop_type, recipe.bound) for one in costs]
    if None in needed:
        return "the cost is so close to the bound that no reasonable amount of such speech would tell"
    times = max(times for times in needed if times is not None)
    utterances = _round(times * len(texts.references))
    return f"about {_round(times * words)} words ({utterances} utterances) like these would tell"


def _round(count: float) -> int:
    """Round up to two digits."""
    step = 10 ** max(0, len(str(int(count))) - 2)
    return int(-(-count // step) * step)


def _advice(recipe: Recipe, outcome: Outcome, floating: tuple[str, ...]) -> str:
    """Suggest what to try next. With --resume nothing that is known already is computed again."""
    if outcome == "cannot tell":
        more = "give more speech (--test, --test-dataset)"
        return f"{more}, or add --resume and a larger --max-drop or --accept-uncertain"
    if recipe.fast:
        return "leave out --fast, so that fragile layers go back to floating point"
    if "front.1" not in floating:
        return "try --keep-float 'front.*', more --validation data, or a larger --max-drop with --resume"
    return "try more --validation and --calibration data, --preset performance, or a larger --max-drop with --resume"

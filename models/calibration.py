"""`calibration.json`: corrections to a model's word times and confidences, learned by `asrd calibrate-confidence`.

    {"times": {"before": 480, "after": 320},
     "confidence": {"bias": -0.4, "weights": {"mean": 1.2, "least": 0.3, "letters": 0.1}},
     …how it was learned, and how good it was measured to be}

Without that file, words have the times of their letters' frames, and confidences are plain probabilities.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from asrd.core.errors import ModelError
from asrd.core.shell import quoted
from asrd.models.files import read_object

NAME = "calibration.json"


class Evidence(NamedTuple):
    """Features of one word, taken from the emission.

    mean: log-probability over the frames of its letters, in nats per frame. least: the same for the least certain
    letter. letters: logarithm of their number.
    """

    mean: float
    least: float
    letters: float


class Probability(Protocol):
    """Estimates how likely a word is right."""

    def of(self, evidence: Evidence) -> float:
        """Return the probability, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """The probability that a word is right: logistic in the evidence."""

    bias: float
    weights: Evidence

    def of(self, evidence: Evidence) -> float:
        """Return the probability, in [0, 1]."""
        score = self.bias + sum(map(float.__mul__, self.weights, evidence))
        return 1 / (1 + math.exp(-score)) if score > 0 else math.exp(score) / (1 + math.exp(score))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Corrections to a model's word times and confidences.

    before, after: samples by which words reach beyond the frames of their letters, which CTC puts where it is surest;
    negative if they fall short of them. words: gives confidences; None if they are not calibrated.
    """

    before: int = 0
    after: int = 0
    words: Probability | None = None

    def confidence(self, evidence: Evidence) -> float:
        """Return the confidence of a word."""
        return self.words.of(evidence) if self.words else plain(evidence)

    @classmethod
    def load(cls, directory: Path) -> "Calibration":
        """Load the calibration of a model directory. Raises ModelError if its file cannot be understood."""
        path = directory / NAME
        if not path.is_file():
            return UNCALIBRATED
        content = read_object(path)
        try:
            return cls(
                before=int(content["times"]["before"]),
                after=int(content["times"]["after"]),
                words=_confidence(content["confidence"]),
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            remedy = f"make it again with 'asrd calibrate-confidence --model {quoted(directory)}'"
            raise ModelError(f"{path} is not one of this version; {remedy}") from error


UNCALIBRATED = Calibration()


def plain(evidence: Evidence) -> float:
    """Return the geometric mean of the probabilities of a word's letters, the confidence without calibration."""
    return math.exp(min(0.0, evidence.mean))


def _confidence(content: Any) -> Confidence | None:
    """Parse a confidence map; None if only times were learned. Raises what `float` and look-ups raise for anything
    but numbers.
    """
    if content is None:
        return None
    numbers = {name: float(value) for name, value in content["weights"].items()}
    found = Confidence(float(content["bias"]), Evidence(**numbers))
    if not all(map(math.isfinite, (found.bias, *found.weights))):
        raise ValueError("not finite")
    return found

"""`calibration.json`: what `asrd calibrate-confidence` learned of a model's word times and confidences.

    {"times": {"before": 480, "after": 320},
     "confidence": {"bias": -0.4, "weights": {"mean": 1.2, "least": 0.3, "letters": 0.1}},
     …how it was learned, and what it was measured to be worth}

A model without that file has the times of its letters' frames, and confidences that are plain probabilities.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from asrd.core.errors import ModelError
from asrd.models.files import read_object

NAME = "calibration.json"


class Evidence(NamedTuple):
    """What the emission says of one word.

    mean: log-probability over the frames of its letters, in nats a frame. least: the same of the letter that
    is least sure. letters: logarithm of their number.
    """

    mean: float
    least: float
    letters: float


class Probability(Protocol):
    """Says how likely a word is right."""

    def of(self, evidence: Evidence) -> float:
        """In [0, 1]."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """The probability that a word is right: logistic in the evidence."""

    bias: float
    weights: Evidence

    def of(self, evidence: Evidence) -> float:
        """In [0, 1]."""
        score = self.bias + sum(map(float.__mul__, self.weights, evidence))
        return 1 / (1 + math.exp(-score)) if score > 0 else math.exp(score) / (1 + math.exp(score))


@dataclass(frozen=True, slots=True)
class Calibration:
    """before, after: samples by which words reach beyond the frames of their letters, which CTC puts where
    it is surest; negative where they fall short of them.
    """

    before: int = 0
    after: int = 0
    words: Probability | None = None

    def confidence(self, evidence: Evidence) -> float:
        """Of a word."""
        return self.words.of(evidence) if self.words else plain(evidence)

    @classmethod
    def load(cls, directory: Path) -> "Calibration":
        """Of a model directory. Raises ModelError where the file is there and cannot be understood."""
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
            remedy = "make it again with 'asrd calibrate-confidence'"
            raise ModelError(f"{path} is not one of this version; {remedy}") from error


UNCALIBRATED = Calibration()


def plain(evidence: Evidence) -> float:
    """The geometric mean of the probabilities of a word's letters: what there is without calibration."""
    return math.exp(min(0.0, evidence.mean))


def _confidence(content: Any) -> Confidence | None:
    """None where only times were learned. Raises what `float` and look-ups raise for anything but numbers."""
    if content is None:
        return None
    numbers = {name: float(value) for name, value in content["weights"].items()}
    found = Confidence(float(content["bias"]), Evidence(**numbers))
    if not all(map(math.isfinite, (found.bias, *found.weights))):
        raise ValueError("not finite")
    return found

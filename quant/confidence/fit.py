"""Fit confidences to words that are known to be right or wrong.

Logistic regression, which for one feature is Platt's scaling (Platt 1999, "Probabilistic outputs for support vector
machines"). A surer word is never less likely to be right: the weights of probabilities are not negative.
"""

import random
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from asrd.core.errors import UsageError
from asrd.models.calibration import Confidence, Evidence
from asrd.quant.confidence.examples import Example, Transcript

FOLDS = 5
RIDGE = 1.0
"""Keeps weights finite if few words are right, or all; in words' worth of evidence."""

RISING = ("mean", "least")
STEPS = 100

Numbers = npt.NDArray[np.float64]


def fit(examples: Sequence[Example]) -> Confidence:
    """Fit the map under which the known words are likeliest. Raises UsageError if there are none."""
    if not examples:
        raise UsageError("nothing was recognised in this speech; calibrate with speech the model understands")
    features = np.array([example.evidence for example in examples], np.float64)
    right = np.array([example.right for example in examples], np.float64)
    used = list(range(features.shape[1]))
    while True:
        bias, weights = _regress(features[:, used], right)
        falling = [index for index, weight in zip(used, weights, strict=True) if _falls(index, weight)]
        if not falling:
            break
        used = [index for index in used if index not in falling]
    full = np.zeros(features.shape[1])
    full[used] = weights
    return Confidence(float(bias), Evidence(*map(float, full)))


def _falls(index: int, weight: float) -> bool:
    return Evidence._fields[index] in RISING and weight < 0


def _regress(features: Numbers, right: Numbers) -> tuple[float, Numbers]:
    """Return bias and weights, by Newton's method on standardised features."""
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-9
    rows = np.column_stack([np.ones(len(features)), (features - mean) / deviation])
    weights, ridge = np.zeros(rows.shape[1]), RIDGE * np.eye(rows.shape[1])
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-np.clip(rows @ weights, -500, 500)))
        gradient = rows.T @ (probability - right) + ridge @ weights
        curvature = (rows.T * (probability * (1 - probability))) @ rows + ridge
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    plain = weights[1:] / deviation
    return float(weights[0] - plain @ mean), plain


def held_out(spoken: Sequence[Transcript], seed: int = 0) -> list[Confidence]:
    """Fit a map for each transcript without any of its speaker's words.

    Speakers are dealt out to `FOLDS` parts, each to the one with the fewest words. Raises UsageError if words of only
    one speaker were recognised.
    """
    words: dict[str, int] = defaultdict(int)
    for transcript in spoken:
        words[transcript.group] += len(transcript.words)
    groups = sorted(words)
    random.Random(seed).shuffle(groups)
    parts, sizes = dict[str, int](), [0] * min(FOLDS, len(groups))
    if sum(map(bool, words.values())) < 2:
        raise UsageError(
            "all that was recognised is of one speaker, too few to tell how good a calibration is; add speech of "
            "another, or leave out who speaks, so that single clips are held out"
        )
    for group in sorted(groups, key=lambda name: -words[name]):
        parts[group] = sizes.index(min(sizes))
        sizes[parts[group]] += words[group]
    maps = [
        fit([word for one in spoken if parts[one.group] != part for word in one.words]) for part in range(len(sizes))
    ]
    return [maps[parts[transcript.group]] for transcript in spoken]

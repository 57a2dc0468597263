"""Reliability: how well confidences agree with how often words are right.

Expected calibration error: Guo et al. 2017, "On calibration of modern neural networks", section 2, with bins that
hold equally many items (Nguyen and O'Connor 2015), because confidences crowd at few values. Even at perfect
calibration chance leaves some error, the more the fewer items there are; it is reported beside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BINS = 15
Numbers = npt.NDArray[np.float64]


class Bin(NamedTuple):
    """Items of about the same confidence: its mean, the share that is right, how many they are."""

    confidence: float
    accuracy: float
    size: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability of a set of items.

    ece: expected calibration error. low, high: its bootstrap 95 % interval over clips. chance: its mean if every
    confidence were right and items were independent; None if items can be right in part.
    """

    ece: float
    low: float
    high: float
    chance: float | None
    count: int
    bins: list[Bin]


class Item(NamedTuple):
    """A word or an utterance: its confidence, the share of it that is right, and the clip it is from."""

    confidence: float
    accuracy: float
    clip: int


def reliability(items: Sequence[Item], seed: int = 0, resamples: int = 500) -> Reliability:
    """Measure the reliability of words or utterances; at least one."""
    confidence, accuracy = (np.array([item[column] for item in items], np.float64) for column in (0, 1))
    _, owners = np.unique([item.clip for item in items], return_inverse=True)
    members = [np.flatnonzero(owners == clip) for clip in range(owners.max() + 1)]
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        chosen = np.concatenate([members[clip] for clip in generator.integers(0, len(members), len(members))])
        drawn.append(_error(bins(confidence[chosen], accuracy[chosen])))
    low, high = np.quantile(drawn, [0.025, 0.975])
    found = bins(confidence, accuracy)
    return Reliability(
        _error(found), float(low), float(high), _chance(confidence, accuracy, generator, resamples), len(items), found
    )


def _chance(confidence: Numbers, accuracy: Numbers, generator: np.random.Generator, draws: int) -> float | None:
    """Return the mean error of items that are right as often as their confidence says."""
    if not np.isin(accuracy, (0.0, 1.0)).all():
        return None
    drawn = [(generator.random(len(confidence)) < confidence).astype(np.float64) for _ in range(draws)]
    return float(np.mean([_error(bins(confidence, right)) for right in drawn]))


def bins(confidence: Numbers, accuracy: Numbers) -> list[Bin]:
    """Make at most `BINS` bins, of sizes as equal as possible, from the least confident to the most. Both: float64
    `(n,)`.
    """
    order = np.argsort(confidence, kind="stable")
    return [
        Bin(float(confidence[part].mean()), float(accuracy[part].mean()), len(part))
        for part in np.array_split(order, min(BINS, len(order)))
    ]


def _error(found: Sequence[Bin]) -> float:
    """Return the mean distance of confidence and accuracy, each bin weighted by its size."""
    return sum(abs(one.accuracy - one.confidence) * one.size for one in found) / sum(one.size for one in found)

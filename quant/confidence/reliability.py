"""Reliability: how well confidences agree with how often words are right.

Expected calibration error: Guo et al. 2017, "On calibration of modern neural networks", section 2, with bins that
hold equally many items (Nguyen and O'Connor 2015), because confidences crowd at few values.

Measured on few items the error is too large: chance moves every bin away from its confidence, never towards it
(Bröcker 2012, "Estimating reliability and resolution of probability forecasts through decomposition of the empirical
score"). Resampling moves them once more, and so tells by how much. Hence the bootstrap's correction of bias, by
the median (Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 10), and its basic interval, which
is corrected likewise (Davison and Hinkley 1997, "Bootstrap methods and their application", section 5.2). Where
confidences are all but right, some of the bias stays; how much, is reported beside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BINS = 15
CHANCES = 200
"""Draws of what chance leaves."""

Numbers = npt.NDArray[np.float64]


class Bin(NamedTuple):
    """Items of about the same confidence: its mean, the share that is right, how many they are."""

    confidence: float
    accuracy: float
    size: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability of a set of items.

    ece: expected calibration error, corrected for bias. low, high: its bootstrap 95 % interval over clips, in which it
    lies; from 0 where chance alone explains the error. chance: its mean if every confidence were right and items were
    independent; None if items can be right in part.
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
    generator, clips = np.random.default_rng(seed), int(owners.max()) + 1
    # How often each clip is drawn, `(resamples, clips)`.
    times = generator.multinomial(clips, np.full(clips, 1 / clips), resamples).astype(np.float64)
    error = _Error(confidence, owners, times)
    ece, low, high = error(accuracy)
    chance = None
    if np.isin(accuracy, (0.0, 1.0)).all():
        right = generator.random((CHANCES, len(items))) < confidence
        drawn = [error(one.astype(np.float64))[0] for one in right]
        chance, most = float(np.mean(drawn)), float(np.quantile(drawn, 0.975))
        low = low if ece > most else 0.0
    return Reliability(ece, low, high, chance, len(items), bins(confidence, accuracy))


class _Error:
    """The error of items of known confidences, for any accuracies. The bins stay those of all items."""

    def __init__(self, confidence: Numbers, owners: npt.NDArray[np.int64], times: Numbers) -> None:
        """confidence: `(n,)`. owners: the clip of each, `(n,)`. times: how often resamples draw each clip."""
        self._confidence, self._owners, self._times = confidence, owners, times
        self._bin = np.empty(len(confidence), np.int64)
        for number, part in enumerate(_parts(confidence)):
            self._bin[part] = number
        self._sizes = np.bincount(owners, minlength=times.shape[1])

    def __call__(self, accuracy: Numbers) -> tuple[float, float, float]:
        """Return the error and its interval. accuracy: `(n,)`."""
        gaps = np.zeros((self._bin.max() + 1, len(self._sizes)))
        np.add.at(gaps, (self._bin, self._owners), accuracy - self._confidence)
        plain = np.abs(gaps.sum(axis=1)).sum() / self._sizes.sum()
        drawn = np.abs(self._times @ gaps.T).sum(axis=1) / (self._times @ self._sizes)
        high, middle, low = (2 * plain - bound for bound in np.quantile(drawn, [0.025, 0.5, 0.975]))
        ece, low, high = np.clip([middle, low, high], 0, 1)
        return float(ece), float(low), float(high)


def bins(confidence: Numbers, accuracy: Numbers) -> list[Bin]:
    """Make at most `BINS` bins, of sizes as equal as possible, from the least confident to the most. Both: float64
    `(n,)`.
    """
    return [Bin(float(confidence[part].mean()), float(accuracy[part].mean()), len(part)) for part in _parts(confidence)]


def _parts(confidence: Numbers) -> list[npt.NDArray[np.int64]]:
    """Return the places of the items in each bin."""
    order = np.argsort(confidence, kind="stable")
    return np.array_split(order, min(BINS, len(order)))

"""The cost of a change: the accuracy that one model loses against another on the same speech, with its interval.

Both heard the same utterances, so they are resampled in pairs; by speaker where speakers are known, because utterances
of one speaker are alike (Bisani and Ney 2004). But few utterances show few of the ways to fail, and where all texts are
the same, all resamples are. So there is a second interval. Beside the utterances measured it imagines z²/2 that lost
every word that was right, and z²/2 that gained as much (Agresti and Coull 1998, for differences), and it is corrected
for skewness (Johnson 1978). Where utterances are lost as a whole or not at all, it agrees with the exact limits of a
Poisson count. The interval reported encloses both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asrd.quant.data.text import normalize_text
from asrd.quant.evaluation.bootstrap import percentiles, resampled
from asrd.quant.evaluation.score import errors
from asrd.quant.recipe import DropType, Metric

Z = 1.959964
"""The normal distribution's quantile for 95 %."""

SPEAKERS = 10
"""Fewest speakers to resample by. With fewer, utterances are, and nothing is said of other speakers."""

SATURATED = 0.9
"""Error rate from which on a model has too little accuracy to lose."""

MOST = 100
"""Most times as much speech that is worth asking for."""

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cost:
    """Accuracy lost, as a fraction, and its 95 % interval; negative where accuracy was gained.

    speakers: how many were resampled; 0 if utterances were. saturated: whether the first model gets nearly everything
    wrong.
    """

    metric: Metric
    value: float
    low: float
    high: float
    speakers: int = 0
    saturated: bool = False

    def plain(self) -> list[float]:
        """Return the loss and its interval as JSON can hold them."""
        return [self.value, self.low, self.high]


@dataclass(frozen=True, slots=True)
class Texts:
    """What two models heard: references, their two texts, and the speaker, "" if unknown, of each utterance.

    At least one reference must have words.
    """

    references: Sequence[str]
    first: Sequence[str]
    other: Sequence[str]
    speakers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two models on the same utterances, one number for each.

    lost: errors that the other made beyond the first's. right: words or characters that the first had right. lengths:
    of the references. relative: whether losses are a share of `right`, instead of `lengths`.
    """

    lost: Counts
    right: Counts
    lengths: Counts
    relative: bool = False

    @property
    def whole(self) -> Counts:
        """What the losses are a share of."""
        return self.right if self.relative else self.lengths

    @property
    def value(self) -> float:
        """Accuracy lost. Any loss of no accuracy at all is infinite."""
        lost, whole = float(self.lost.sum()), abs(float(self.whole.sum()))
        if not lost:
            return 0.0
        return lost / whole if whole else math.copysign(math.inf, lost)

    def interval(self, times: float = 1.0, severity: float | None = None) -> tuple[float, float]:
        """Return the interval by imagined utterances. times: as it would be with so many times as many like these.

        severity: words that an imagined one loses or gains, by default all that an utterance had right.
        """
        imagined = Z * Z  # half of them lost, half of them gained
        severity = max(float(self.right.mean()), 0.0) if severity is None else severity
        whole = times * float(self.whole.sum()) + imagined * float(self.whole.mean())
        if whole <= 0:
            return -math.inf, math.inf
        middle = times * float(self.lost.sum()) / whole
        apart = self.lost - middle * self.whole
        squares = times * float((apart**2).sum()) + imagined * severity**2
        cubes = times * float((apart**3).sum())
        half = Z * math.sqrt(squares)
        skew = (1 + 2 * Z * Z) / 6 * cubes / squares if squares else 0.0
        return middle + (skew - half) / whole, middle + (skew + half) / whole

    def by(self, speakers: Sequence[str]) -> "Pairs":
        """Add up the utterances of each speaker."""
        of = np.unique(speakers, return_inverse=True)[1]

        def summed(each: Counts) -> Counts:
            return np.bincount(of, each).astype(np.float64)

        return Pairs(summed(self.lost), summed(self.right), summed(self.lengths), self.relative)


def pairs(
    metric: Metric, references: Sequence[str], first: Sequence[str], other: Sequence[str], kind: DropType = "absolute"
) -> Pairs:
    """Count errors in each utterance whose reference has words. kind: "relative" is NNCF's, a share of the first's
    accuracy.
    """
    wrong, lengths = (np.array(found, np.float64) for found in errors(metric, references, first))
    then = np.array(errors(metric, references, other)[0], np.float64)
    return Pairs(then - wrong, lengths - wrong, lengths, kind == "relative")


def bounds(found: Pairs, speakers: Sequence[str]) -> tuple[float, float, int]:
    """Return the ends of the 95 % interval of the loss, and the number of speakers that were resampled, 0 if utterances
    were. speakers: one for each utterance; "" is unknown.
    """
    named = len(set(speakers)) if "" not in speakers and len(set(speakers)) >= SPEAKERS else 0
    sums = found.by(speakers) if named else found
    low, high = found.interval()
    low, high = min(low, found.value), max(high, found.value)
    if named:
        low_by, high_by = sums.interval(severity=float(found.right.mean()))
        low, high = min(low, low_by), max(high, high_by)
    if len(sums.lost) > 1 and sums.whole.min() > 0:
        ends = percentiles(resampled(sums.lost, sums.whole))
        wider = _student(len(sums.lost))
        low = min(low, found.value + wider * (ends[0] - found.value))
        high = max(high, found.value + wider * (ends[1] - found.value))
    return low, high, named


def cost(metric: Metric, texts: Texts, kind: DropType = "absolute") -> Cost:
    """Return the accuracy, 1 - error rate, that the other model loses against the first."""
    found = pairs(metric, texts.references, texts.first, texts.other, kind)
    known = [who for who, said in zip(texts.speakers, texts.references, strict=True) if normalize_text(said)]
    low, high, named = bounds(found, known)
    accuracy = found.right.sum() / found.lengths.sum()
    return Cost(metric, found.value, low, high, named, saturated=bool(accuracy <= 1 - SATURATED))


def enough(metric: Metric, texts: Texts, kind: DropType, bound: float) -> float | None:
    """Return how many times as much speech would tell whether the loss is within `bound`, if it stays what it is.

    None if more than `MOST` times as much would be needed.
    """
    found = pairs(metric, texts.references, texts.first, texts.other, kind)
    times = 1.0
    while times <= MOST:
        low, high = found.interval(times)
        if high <= bound or low > bound:
            return times
        times *= 1.02
    return None


def _student(groups: int) -> float:
    """Return how much wider Student's interval is than a bootstrap's, which underestimates the variance of few groups.

    By the expansion of Student's quantile in 1 / degrees of freedom (Abramowitz and Stegun 26.7.5).
    """
    freedom = groups - 1
    quantile = Z + (Z**3 + Z) / (4 * freedom) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * freedom**2)
    return quantile / Z * math.sqrt(groups / freedom)

"""Bootstrap interval of an error rate.

Efron 1979, "Bootstrap methods: another look at the jackknife"; over utterances, because the errors within one depend
on each other: Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance evaluation".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
BATCH = 100
"""Resamples drawn at once; bounds memory to `8 * BATCH * utterances` bytes."""


@dataclass(frozen=True, slots=True)
class Rate:
    """An error rate: errors over what was said, as a fraction that can exceed 1, and its 95 % interval."""

    value: float
    low: float
    high: float


def rate(errors: Sequence[int], lengths: Sequence[int], seed: int = 0, resamples: int = 1000) -> Rate:
    """Return the errors of all utterances over their total length, and the interval by the percentile method.

    errors, lengths: one number per utterance, in words or in characters; every length is at least 1.
    """
    wrong, said = np.array(errors, np.float64), np.array(lengths, np.float64)
    return Rate(float(wrong.sum() / said.sum()), *percentiles(resampled(wrong, said, seed, resamples)))


def resampled(
    numerators: NDArray[np.float64], denominators: NDArray[np.float64], seed: int = 0, resamples: int = 1000
) -> NDArray[np.float64]:
    """Return `(resamples,)` ratios of sums over utterances drawn with replacement; the same draws for the same seed."""
    generator = np.random.default_rng(seed)
    count = len(numerators)
    drawn = []
    for first in range(0, resamples, BATCH):
        # How often each utterance is drawn, `(batch, utterances)`: the same for every backend.
        times = generator.multinomial(count, np.full(count, 1 / count), min(BATCH, resamples - first))
        drawn.append((times @ numerators) / (times @ denominators))
    return np.concatenate(drawn)


def percentiles(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of the interval that holds `CONFIDENCE` of the ratios drawn."""
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)

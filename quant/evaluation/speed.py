"""Speed of backends that were measured together."""

from dataclasses import dataclass

import numpy as np

from asrd.quant.evaluation.measure import Measurement


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds per window: the median, the 10th and the 90th percentile.

    times_first: how many times as fast as the first backend.
    """

    median: float
    p10: float
    p90: float
    times_first: float


def speed(one: Measurement, first: Measurement) -> Speed:
    """Compare the speed of one backend with the first one of the same measurement; NaN if no window was heard.

    The ratio is the median of the windows' own ratios, so that a slow moment of the machine affects both. If what was
    heard moved an endpoint, so that one backend had more windows than the other, it is the ratio of the medians.
    """
    taken, reference = np.array(one.window_seconds), np.array(first.window_seconds)
    if not len(taken):
        return Speed(*(float("nan"),) * 4)
    p10, median, p90 = (float(1000 * value) for value in np.percentile(taken, [10, 50, 90]))
    same = len(taken) == len(reference)
    times = np.median(reference / taken) if same else np.median(reference) / np.median(taken)
    return Speed(median, p10, p90, float(times))

"""Speed of backends that were measured together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asrd.core.units import counted
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


@dataclass(frozen=True, slots=True)
class Spread:
    """A box plot of window times, in milliseconds, with Tukey's upper whisker (1977, "Exploratory data analysis").

    low: the fastest. q1, median, q3: quartiles. high: the slowest within 1.5 times the box beyond it, so that one bad
    moment of the machine does not squash the picture. slower, slowest: how many windows lie beyond, of `count`, and the
    time of the slowest of all.
    """

    low: float
    q1: float
    median: float
    q3: float
    high: float
    slower: int
    slowest: float
    count: int

    def told(self, name: str) -> str:
        """Say what the picture leaves out; "" if it is nothing. name: of the backend."""
        if not self.slower:
            return ""
        return (
            f"{name}: {self.slower} of {counted(self.count, 'windows')} took longer than the whisker, "
            f"the slowest {self.slowest:.0f} ms."
        )


def spread(seconds: Sequence[float]) -> Spread | None:
    """Summarise the times of windows; None if none is known."""
    times = 1000 * np.array(seconds, np.float64)
    times = np.sort(times[np.isfinite(times)])
    if not len(times):
        return None
    q1, median, q3 = (float(value) for value in np.percentile(times, [25, 50, 75]))
    within = times[times <= q3 + 1.5 * (q3 - q1)]
    high, slower = max(q3, float(within[-1])), len(times) - len(within)
    return Spread(float(times[0]), q1, median, q3, high, slower, float(times[-1]), len(times))

"""How busy the machine was with other work while speed was measured."""

import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asrd.core import cpu

STAT = Path("/proc/stat")

OTHERS = 0.1
"""Share of the processors that other work may take before a speed is no fact."""

SPREAD = 1.5
"""How far the 90th percentile of window times may lie above the median."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The state of the machine during a measurement.

    others: share of all processors that other processes took, NaN if the system does not say. spread: the largest
    ratio, of all backends, of the 90th percentile of window times to the median. load: load average over a minute at
    the end.
    """

    others: float
    spread: float
    load: float

    @property
    def busy(self) -> str:
        """Why the speeds measured are no fact, in one sentence; "" if they are."""
        if self.others > OTHERS:
            return f"the machine was busy: other work took {100 * self.others:.0f} % of its processors"
        if self.spread > SPREAD:
            return f"the machine was uneven: a tenth of the windows took over {self.spread:.1f} times the median"
        return ""

    def plain(self) -> dict[str, Any]:
        """Return the conditions as JSON can hold them, with the name of the processor."""
        return {
            "cpu": cpu.name(),
            "cores": len(os.sched_getaffinity(0)),
            "others": None if math.isnan(self.others) else round(self.others, 3),
            "spread": round(self.spread, 2),
            "load": self.load,
            "busy": self.busy,
        }


class Watch:
    """Watches the machine from its creation on."""

    def __init__(self) -> None:
        self._own, self._all = time.process_time(), _processors()

    def conditions(self, window_seconds: Iterable[tuple[float, ...]]) -> Conditions:
        """Return the conditions until now. window_seconds: times of each backend's windows."""
        spreads = [float(np.quantile(times, 0.9) / np.median(times)) for times in window_seconds if times]
        used, total = (after - before for after, before in zip(_processors(), self._all, strict=True))
        others = max(0.0, used - (time.process_time() - self._own)) / total if total > 0 else math.nan
        return Conditions(others, max(spreads, default=1.0), os.getloadavg()[0])


def _processors() -> tuple[float, float]:
    """Return the seconds that all processors were busy, and those that passed, added up; NaN if it is not known."""
    try:
        _, *ticks = STAT.read_text(encoding="ascii").splitlines()[0].split()
        user, nice, system, idle, wait, *rest = (int(tick) / os.sysconf("SC_CLK_TCK") for tick in ticks[:8])
    except (OSError, ValueError, IndexError):
        return math.nan, math.nan
    busy = user + nice + system + sum(rest)  # interrupts, and what a hypervisor stole
    return busy, busy + idle + wait

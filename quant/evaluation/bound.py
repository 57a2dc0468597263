"""The bound on what a backend may cost, and whether a cost keeps it."""

import math
from dataclasses import dataclass
from typing import Literal

from asrd.quant.evaluation.cost import Cost
from asrd.quant.evaluation.figures import change
from asrd.quant.recipe import Metric

Judged = Literal["holds", "fails", "cannot tell", "no bound"]

TOLD: dict[Judged, str] = {
    "holds": "this holds",
    "fails": "this does not hold",
    "cannot tell": "whether this holds cannot be told",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """What may be lost: accuracy, as a fraction, or of the original's accuracy if `relative`.

    metrics: the error rates that are held to it.
    """

    most: float = math.inf
    metrics: tuple[Metric, ...] = ()
    relative: bool = False

    @property
    def named(self) -> str:
        """The error rates that are held to it, for people."""
        return "the worse of WER and CER" if len(self.metrics) > 1 else "".join(self.metrics).upper()

    def judge(self, cost: Cost) -> Judged:
        """Judge a cost by its whole interval: it cannot be told where the bound lies within, or where the original had
        nothing to lose.
        """
        if cost.metric not in self.metrics:
            return "no bound"
        if cost.low > self.most:
            return "fails"
        return "holds" if cost.high <= self.most and not cost.saturated else "cannot tell"

    def change(self, cost: Cost, name: str) -> str:
        """Say what a backend does to an error rate, or, for a relative bound, to the accuracy. name: of the backend."""
        metric, points = cost.metric.upper(), 100 * cost.value
        if self.relative:
            return f"{name} {'loses' if points >= 0 else 'gains'} {abs(points):.2f} % of the accuracy, 1 − {metric}"
        return change(name, metric, points)

    def told(self, cost: Cost, name: str) -> str:
        """Say in a sentence what a cost is and whether it keeps the bound. name: of the backend."""
        said = f"{self.change(cost, name)} (95 % interval: {_number(cost.low)} to {_number(cost.high)})"
        judged = self.judge(cost)
        return said + (f"; up to {100 * self.most:.2f} may be lost: {TOLD[judged]}." if judged in TOLD else ".")


def _number(fraction: float) -> str:
    # adding 0 leaves no "-0.00"
    return f"{round(100 * fraction, 2) + 0.0:.2f}".replace("-", "−") if math.isfinite(fraction) else "unknown"

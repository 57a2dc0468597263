"""Plot the results of `streaming_tax.py --sweep`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def plot(rows: Sequence[Any], path: Path) -> None:
    """Plot the tax over the cost of computing, one line per right context."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    rights = sorted({row.way.split()[1] for row in rows})
    speeches = list(dict.fromkeys(row.speech for row in rows))
    figure, panels = pyplot.subplots(len(speeches), 2, figsize=(10, 3.2 * len(speeches)), squeeze=False, sharex=True)
    for axes, speech in zip(panels, speeches, strict=True):
        for axis, metric in zip(axes, ("wer", "cer"), strict=True):
            for index, right in enumerate(rights):
                points = [row for row in rows if row.speech == speech and row.way.endswith(f" {right}")]
                taxes = [getattr(row, f"{metric}_tax") for row in points]
                values = 100 * np.array([tax.value for tax in taxes])
                spread = 100 * np.array([[tax.value - tax.low, tax.high - tax.value] for tax in taxes]).T
                costs = [row.committed + 0.03 * index for row in points]
                axis.errorbar(costs, values, spread, marker="o", capsize=2, label=f"right context {right} s")
                if not index:
                    for row, value in zip(points, values, strict=True):
                        note = f"hop {row.way.split()[0]}"
                        axis.annotate(note, (row.committed, value), (4, -11), textcoords="offset points", fontsize=7)
            axis.axhline(0.0, color="gray", linewidth=0.8)
            axis.axhline(0.5, color="gray", linewidth=0.8, linestyle="--")
            axis.set_ylabel(f"{metric.upper()} tax, points")
            axis.set_title(f"{speech}, {points[0].backend}: {metric.upper()}", fontsize=10)
            axis.grid(alpha=0.3)
    for axis in panels[-1]:
        axis.set_xlabel("seconds of audio computed per second heard")
    panels[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=130)

"""Plot the results of `streaming_tax.py --sweep`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asrd.quant.evaluation.style import legend, panels, save, styled

APART = 0.12
"""Distance of the right contexts' points, as a share of a step between hops: intervals stand beside each other."""


def plot(rows: Sequence[Any], path: Path) -> None:
    """Plot the tax over the hop, one line per right context, with what the hop costs to compute below."""
    with styled():
        save(draw(rows), path)


def draw(rows: Sequence[Any]) -> Any:
    """Draw a row of panels for each set of speech: WER and CER."""
    speeches = list(dict.fromkeys(row.speech for row in rows))
    figure, axes = panels(len(speeches), 2, 2.5, sharex=True)
    for of_speech, speech in zip(axes, speeches, strict=True):
        for axis, metric in zip(of_speech, ("wer", "cer"), strict=True):
            _panel(axis, [row for row in rows if row.speech == speech], metric)
            axis.set_title(f"{speech}, {rows[0].backend}")
            axis.set_ylabel(f"{metric.upper()} tax, points")
    for axis in axes[-1]:
        axis.set_xlabel("hop, s (seconds computed per second heard)")
    legend(figure, columns=4)
    return figure


def _panel(axis: Any, rows: Sequence[Any], metric: str) -> None:
    rights = sorted({row.way.split()[1] for row in rows})
    hops = sorted({row.way.split()[0] for row in rows}, key=float)
    for index, right in enumerate(rights):
        points = [row for row in rows if row.way.endswith(f" {right}")]
        taxes = [getattr(row, f"{metric}_tax") for row in points]
        values = 100 * np.array([tax.value for tax in taxes])
        spread = 100 * np.array([[tax.value - tax.low, tax.high - tax.value] for tax in taxes]).T
        places = [hops.index(row.way.split()[0]) + APART * (index - (len(rights) - 1) / 2) for row in points]
        axis.errorbar(places, values, spread, capsize=2, elinewidth=1, label=f"{right} s to the right")
    axis.axhline(0.0, color="black", linewidth=0.8, zorder=0)
    costs = {row.way.split()[0]: row.committed for row in rows}
    axis.set_xticks(range(len(hops)), [f"{hop}\n({costs[hop]:.1f} ×)" for hop in hops])
    axis.grid(axis="x", visible=False)

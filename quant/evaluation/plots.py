"""The report's plots, each as an `<svg>` element in the colours of the page it stands on."""

import io
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

COLOURS = ("#3d7edb", "#d97a1f", "#2f9e6b", "#b25fd3", "#c9484b")
"""Readable on white and on black."""

INK = "#010203"
"""Stands for the colour of the page's text, which only the browser knows."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), INK
    ),
}
WIDTH = 7.2
"""Inches."""

STEPS_NAMED, LAYERS_NAMED = 8, 90
"""Most names that fit side by side: horizontal, and rotated."""


def steps(reverted: Sequence[tuple[str, float]]) -> str:
    """Plot accuracy, a fraction, after each step."""
    accuracies = [100 * accuracy for _, accuracy in reverted]
    with _style("steps"):
        axes = _axes(2.6)
        axes.axhline(accuracies[0], color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.plot(accuracies, color=COLOURS[0], marker="o", markersize=4)
        axes.margins(x=0.05, y=0.15)
        every = math.ceil(len(reverted) / STEPS_NAMED)
        labels = [f"{name}\n{100 * accuracy:.2f}" for name, accuracy in reverted]
        axes.set_xticks(range(0, len(labels), every), labels[::every])
        axes.set_ylabel("accuracy, %")
        axes.grid(axis="y")
        return _svg(axes)


def sensitivity(layers: Mapping[str, float]) -> str:
    """Plot a point per layer, in their order, on a logarithmic scale: they lie orders of magnitude apart."""
    with _style("sensitivity"):
        axes = _axes(2.8)
        floor = 1e-9  # what rounding leaves of a divergence of 0
        heights = [max(value, floor) for value in layers.values()]
        axes.vlines(range(len(layers)), min(heights) / 2, heights, color=COLOURS[0], linewidth=3)
        axes.plot(range(len(layers)), heights, "o", color=COLOURS[0], markersize=4)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:.0e}")
        every = math.ceil(len(layers) / LAYERS_NAMED)
        names = list(layers)[::every]
        size = min(8.0, 0.8 * 72 * WIDTH / len(names))
        axes.set_xticks(range(0, len(layers), every), names, rotation=90, fontsize=size)
        axes.set_ylabel("divergence, nats a frame")
        axes.margins(x=0.01)
        axes.grid(axis="y")
        return _svg(axes)


def latency(milliseconds: Mapping[str, Sequence[float]]) -> str:
    """Plot the distribution of the time per window, one row per backend; whiskers from the 5th to the 95th
    percentile.
    """
    with _style("latency"):
        axes = _axes(0.7 + 0.4 * len(milliseconds))
        line = {"color": INK}
        boxes = axes.boxplot(
            list(milliseconds.values()),
            orientation="horizontal",
            tick_labels=list(milliseconds),
            widths=0.55,
            whis=(5, 95),
            patch_artist=True,
            medianprops={"color": INK, "linewidth": 1.6},
            whiskerprops=line,
            capprops=line,
            boxprops={"edgecolor": INK},
            flierprops={"marker": ".", "markersize": 4, "markeredgecolor": INK, "alpha": 0.5},
        )
        for number, box in enumerate(boxes["boxes"]):
            box.set_facecolor(COLOURS[number % len(COLOURS)])
        axes.set_xlim(left=0)
        axes.invert_yaxis()
        axes.set_xlabel("milliseconds a window")
        axes.grid(axis="x")
        return _svg(axes)


def sizes(found: Mapping[str, int]) -> str:
    """Plot a bar per backend, with its megabytes."""
    with _style("sizes"):
        axes = _axes(0.7 + 0.35 * len(found))
        colours = [COLOURS[number % len(COLOURS)] for number in range(len(found))]
        bars = axes.barh(list(found), [size / 1e6 for size in found.values()], color=colours, height=0.6)
        axes.bar_label(bars, [f"{size / 1e6:.1f} MB" for size in found.values()], padding=4)
        axes.margins(x=0.12)
        axes.invert_yaxis()
        axes.set_xlabel("megabytes on disk")
        return _svg(axes)


def _style(name: str) -> AbstractContextManager[None]:
    """Set the style of all plots. The name makes identifiers inside the SVG differ from plot to plot on a page, and
    equal from run to run.
    """
    import matplotlib

    context: AbstractContextManager[None] = matplotlib.rc_context({**STYLE, "svg.hashsalt": name})
    return context


def _axes(height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained").subplots()


def _svg(axes: Any) -> str:
    """Return the element alone, to stand in HTML: without the XML prolog, the names of its namespaces, and
    matplotlib's names of groups, which are the same in every plot.
    """
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    axes.figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    text = file.getvalue()
    element = re.sub(r' xmlns(:\w+)?="[^"]*"|(?<=<g) id="[^"]*"', "", text[text.index("<svg") :])
    return element.replace(INK, "currentColor")

"""One style for all pictures: colours and markers that everyone can tell apart, and legends that cover nothing.

Colours: Okabe and Ito 2008, "Color universal design", darkened where they would be faint on white paper.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

COLOURS = ("#0072b2", "#c07f00", "#009e73", "#d55e00", "#c46a9d", "#3f8fc4")
"""Readable on white and on black, and different to the colour-blind."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""Beside the colours, so that none is told by its colour alone."""

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.markersize": 5,
    "lines.linewidth": 1.4,
}

WIDTH = 8.4
"""Inches of a picture in docs/. A page shows it about as wide, so its letters are as large as the page's."""


def styled(**more: Any) -> AbstractContextManager[None]:
    """Set the style while a picture is drawn; `more` are matplotlib's own settings."""
    import matplotlib
    from cycler import cycler

    # A line takes its colour and marker from here where it is given none.
    cycle = cycler(color=COLOURS, marker=MARKERS)
    settings: dict[Any, Any] = {**STYLE, "axes.prop_cycle": cycle, **more}
    context: AbstractContextManager[None] = matplotlib.rc_context(settings)
    return context


def panels(rows: int, columns: int, height: float, **shared: Any) -> tuple[Any, Any]:
    """Return a figure for docs/ and its axes, `(rows, columns)`; height: of one row, in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, rows * height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def legend(figure: Any, handles: Any = None, columns: int = 3) -> None:
    """Explain lines and markers below the panels, where they cover no data; by default those of the first panel."""
    handles = handles or figure.axes[0].get_legend_handles_labels()[0]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(columns, len(handles)))


def save(figure: Any, path: Path) -> None:
    """Write a picture as PNG; the same data gives the same bytes."""
    figure.savefig(path, dpi=150, metadata={"Software": None})

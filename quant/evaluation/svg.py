"""A canvas for plots inside HTML: rows with a name each, drawn as an `<svg>` element in the page's own colours.

Rows lie one below the other, so that a telephone shows their names as large as its text.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from asrd.quant.evaluation.style import styled

INK = "#010203"
"""Stands for the colour of the page's text, which only the browser knows."""

INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
LETTERS = 11
"""Points, which are pixels on a telephone, for that is as wide as the canvas."""

WIDTH, ROW, AROUND = 4.8, 0.26, 0.6
"""Inches: of the canvas, of a row, and of axis and label."""

NAME = 24
"""Most letters of a row's name."""


@contextmanager
def rows(name: str, labels: Sequence[str], height: float = ROW, below: float = 0.0) -> Iterator[Any]:
    """Give axes on which row `i` is at height `i`, the first on top.

    name: makes identifiers inside the SVG differ from plot to plot on a page, and equal from run to run. height: of a
    row, below: of a legend, in inches.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    more = {"svg.fonttype": "none", "svg.hashsalt": name, "axes.grid.axis": "x", "axes.labelsize": LETTERS}
    with styled(**dict.fromkeys(INKED, INK), **more, **{"font.size": LETTERS, "legend.fontsize": LETTERS}):
        axes = Figure(figsize=(WIDTH, AROUND + height * len(labels) + below), layout="constrained").subplots()
        axes.set_yticks(range(len(labels)), [tail(label, NAME) for label in labels])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        yield axes


def tail(name: str, most: int) -> str:
    """Shorten a name from the left, where what all names share is: at a slash, if one is near."""
    if len(name) <= most:
        return name
    end = name[1 - most :]
    slash = end.find("/")
    return f"…{end[slash:] if 0 <= slash < most // 2 else end}"


def element(axes: Any, title: str) -> str:
    """Return the drawing as an element that stands in HTML: without the XML prolog, the names of its namespaces, and
    matplotlib's names of groups, which are the same in every plot. title: what is read aloud instead.
    """
    import markupsafe

    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with warnings.catch_warnings():
        # Names may be in letters of which matplotlib's font has no measures. The browser draws them.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        axes.figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    text = file.getvalue()
    drawing = re.sub(r' xmlns(:\w+)?="[^"]*"|(?<=<g) id="[^"]*"', "", text[text.index("<svg") :])
    spoken = f'<svg role="img" aria-label="{markupsafe.escape(title)}"'
    return drawing.replace(INK, "currentColor").replace("<svg", spoken, 1)

"""The report's plots: each function returns an `<svg>` element, or "" if there is nothing to draw."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

from asrd.quant.evaluation.bound import Bound, Judged
from asrd.quant.evaluation.cost import Cost
from asrd.quant.evaluation.speed import Spread
from asrd.quant.evaluation.style import COLOURS
from asrd.quant.evaluation.svg import INK, element, rows

STEPS, LAYERS = 40, 60
"""Most rows of steps and of layers."""

LEAST = 1e-9
"""What rounding leaves of a divergence of 0."""

ALLOWED = "allowed"
DASHED = (0, (4, 3))
SHAPES: dict[Judged, tuple[str, str]] = {
    "holds": ("o", COLOURS[2]),
    "fails": ("X", COLOURS[3]),
    "cannot tell": ("D", COLOURS[1]),
    "no bound": ("s", COLOURS[0]),
}


def steps(title: str, lost: Sequence[tuple[str, float]], bound: Bound) -> str:
    """Plot the accuracy lost after each step, a fraction, and what may be lost."""
    if not lost:
        return ""
    every, count = math.ceil(len(lost) / STEPS), len(lost)
    numbers = sorted({0, *range(1, count, every), count - 1})  # the original and all in 8 bits, at least
    losses = [100 * lost[number][1] for number in numbers]
    with rows("steps", [lost[number][0] for number in numbers]) as axes:
        if math.isfinite(bound.most):
            axes.axvline(100 * bound.most, color=INK, linestyle=DASHED)
        axes.plot(losses, range(len(losses)), "o-", color=COLOURS[0])
        for height, loss in enumerate(losses):
            axes.text(1.02, height, f"{round(loss, 2) + 0.0:+.2f}", transform=axes.get_yaxis_transform(), va="center")
        axes.margins(x=0.08)
        what = f"% of the accuracy, 1 − {bound.named}" if bound.relative else f"points of {bound.named}"
        axes.set_xlabel(f"lost, {what}")
        return element(axes, title)


def sensitivity(title: str, layers: Mapping[str, float]) -> str:
    """Plot a point per layer, in their order, on a logarithmic scale: they lie orders of magnitude apart.

    Of more than `LAYERS` those are shown that suffer most.
    """
    known = {name: max(value, LEAST) for name, value in layers.items() if math.isfinite(value)}
    if not known:
        return ""
    worst = sorted(known, key=lambda name: -known[name])[:LAYERS]
    shown = {name: value for name, value in known.items() if name in worst}
    values = list(shown.values())
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    with rows("sensitivity", list(shown), 0.2) as axes:
        axes.set_xscale("log")
        axes.set_xlim(10.0**low, 10.0 ** max(high, low + 1))
        axes.hlines(range(len(values)), 10.0**low, values, color=COLOURS[0], linewidth=1.4)
        axes.plot(values, range(len(values)), "o", color=COLOURS[0], clip_on=False)
        axes.set_xticks([10.0**power for power in range(low, max(high, low + 1) + 1, 1 + (high - low) // 5)])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.set_xlabel("divergence, nats a frame")
        return element(axes, title)


def latency(title: str, found: Mapping[str, Spread | None]) -> str:
    """Plot the distribution of the time per window, in a row per backend that was timed."""
    colours = _colours(found)
    timed = {name: one for name, one in found.items() if one}
    if not timed:
        return ""
    boxes = [
        {"whislo": one.low, "q1": one.q1, "med": one.median, "q3": one.q3, "whishi": one.high} for one in timed.values()
    ]
    line = {"color": INK}
    with rows("latency", list(timed), 0.4) as axes:
        drawn = axes.bxp(
            boxes, range(len(boxes)), orientation="horizontal", manage_ticks=False, showfliers=False,
            widths=0.55, patch_artist=True, medianprops={"color": INK, "linewidth": 1.8}, whiskerprops=line,
            capprops=line, boxprops={"edgecolor": INK},
        )  # fmt: skip
        for name, box in zip(timed, drawn["boxes"], strict=True):
            box.set_facecolor(colours[name])
        axes.set_xlim(0, 1.05 * max(one.high for one in timed.values()))
        axes.set_xlabel("milliseconds a window")
        return element(axes, title)


def sizes(title: str, found: Mapping[str, int]) -> str:
    """Plot a bar per backend of known size, with its megabytes."""
    colours = _colours(found)
    known = {name: size / 1e6 for name, size in found.items() if size}
    if not known:
        return ""
    with rows("sizes", list(known), 0.36) as axes:
        bars = axes.barh(range(len(known)), list(known.values()), color=[colours[name] for name in known], height=0.6)
        axes.bar_label(bars, [f"{megabytes:.1f}" for megabytes in known.values()], padding=4)
        axes.set_xlim(0, 1.2 * max(known.values()))
        axes.set_xlabel("megabytes on disk")
        return element(axes, title)


def costs(title: str, found: Sequence[Cost], bound: Bound) -> str:
    """Plot what error rates lost, with their intervals: a forest plot, with the bound as a dashed line."""
    known = [one for one in found if all(map(math.isfinite, (one.value, one.low, one.high)))]
    if not known:
        return ""
    with rows("costs", [one.metric.upper() for one in known], 0.36, below=0.5) as axes:
        axes.axvline(0, color=INK, linewidth=0.8)
        for height, one in enumerate(known):
            judged = bound.judge(one)
            marker, colour = SHAPES[judged]
            axes.hlines(height, 100 * one.low, 100 * one.high, color=colour, linewidth=2.4)
            axes.plot(100 * one.value, height, marker, color=colour, markersize=9, label=judged)
            if judged != "no bound":
                most = 100 * bound.most
                axes.vlines(most, height - 0.5, height + 0.5, color=INK, linestyle=DASHED, label=ALLOWED)
        found_shapes = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        named = {name: found_shapes[name] for name in (*SHAPES, ALLOWED) if name in found_shapes}
        axes.figure.legend(named.values(), named, loc="outside lower center", ncols=3)
        axes.margins(x=0.08)
        unit = "% of the accuracy" if bound.relative else "points"
        axes.set_xlabel(f"← fewer errors\N{EM SPACE}{unit}\N{EM SPACE}more errors →")
        return element(axes, title)


def _colours(names: Iterable[str]) -> dict[str, str]:
    """Give each backend the same colour in all plots, whether or not all is known of it."""
    return dict(zip(names, itertools.cycle(COLOURS)))

"""Plots say what they show, in words that can be read, whatever the figures are."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from asrd.quant.evaluation import plots
from asrd.quant.evaluation.bound import Bound
from asrd.quant.evaluation.cost import Cost
from asrd.quant.evaluation.speed import spread
from asrd.quant.evaluation.style import COLOURS, MARKERS, legend, panels, styled

WHITE, DARK = "#ffffff", "#15181b"


def texts(svg: str) -> list[str]:
    """Return what is written in a drawing."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_steps_name_what_is_lost() -> None:
    lost = [("original", 0.0), ("all in 8 bits", 1.2), ("1 reverted", -0.001), ("2 reverted", -0.00001)]
    found = texts(plots.steps("a title", lost, Bound(0.01, ("cer",))))
    assert {"lost, points of CER", "original", "all in 8 bits", "+0.00", "+120.00", "-0.10"} <= set(found)
    assert "-0.00" not in found
    both = Bound(0.01, ("wer", "cer"), relative=True)
    assert "lost, % of the accuracy, 1 − the worse of WER and CER" in texts(plots.steps("", lost, both))


def test_of_many_steps_the_first_two_and_the_last_are_shown() -> None:
    many = [("original", 0.0), ("all in 8 bits", 0.5), *((f"{n} reverted", 0.5 - n / 1000) for n in range(1, 300))]
    found = [text for text in texts(plots.steps("", many, Bound())) if text.endswith(("original", "bits", "reverted"))]
    assert found[:2] == ["original", "all in 8 bits"]
    assert found[-1] == "299 reverted"
    assert len(found) <= plots.STEPS + 3
    assert plots.steps("", [], Bound()) == ""


def test_of_many_layers_those_that_suffer_most_are_shown_in_order() -> None:
    layers = {f"block.{number}": 10 ** (-number / 20) for number in range(100)} | {"unknown": math.nan, "head": 0.5}
    found = [text for text in texts(plots.sensitivity("", layers)) if text.startswith(("block", "head", "unknown"))]
    assert found == [f"block.{number}" for number in range(plots.LAYERS - 1)] + ["head"]
    assert plots.sensitivity("", {"a": math.nan}) == ""


@pytest.mark.parametrize("layers", [{"a": 0.03}, {"a": 0.0}, {"a": 1.0, "b": 1.0}, {"a": 1e-9, "b": 30.0}])
def test_layers_have_an_axis_with_few_numbers(layers: Mapping[str, float]) -> None:
    ticks = [text for text in texts(plots.sensitivity("", layers)) if text[:1].isdigit()]
    assert 2 <= len(ticks) <= 7


def test_one_slow_window_is_told_and_does_not_squash_the_picture() -> None:
    usual = [0.05 + 0.0001 * number for number in range(99)]
    found = spread([*usual, 5.0])
    assert found is not None
    assert found.high < 70
    assert found.told("int8") == "int8: 1 of 100 windows took longer than the whisker, the slowest 5000 ms."
    svg = plots.latency("", {"int8": found})
    assert "milliseconds a window" in texts(svg)
    assert max(float(text) for text in texts(svg) if text.isdigit()) < 100


@given(st.lists(st.floats(0, 100) | st.just(math.nan), max_size=30))
def test_a_box_is_in_order_and_counts_every_window(seconds: list[float]) -> None:
    known = [one for one in seconds if not math.isnan(one)]
    found = spread(seconds)
    if not known:
        assert found is None
        return
    assert found is not None
    tolerance = 1e-9 * found.slowest + 1e-9
    line = (found.low, found.q1, found.median, found.q3, found.high, found.slowest)
    assert all(one <= other + tolerance for one, other in pairwise(line))
    assert found.count == len(known)
    assert found.slower == sum(1000 * one > found.high + tolerance for one in known)
    assert bool(found.told("a")) == bool(found.slower)


def test_names_may_be_long_or_in_any_letters() -> None:
    name = "後端" * 30
    svg = plots.sizes("", {name: 1_000_000, "a" * 200: 2_000_000, "unknown": 0})
    assert max(map(len, texts(svg))) <= 24
    assert any(text.endswith("後端") for text in texts(svg))
    assert "unknown" not in texts(svg)


def test_a_backend_has_one_colour_in_all_plots() -> None:
    svg = plots.sizes("", {"torch": 1, "other": 0, "int8": 1})
    assert COLOURS[2] in svg
    assert COLOURS[1] not in svg
    assert COLOURS[2] in plots.latency("", {"torch": None, "other": None, "int8": spread([1, 2])})


def test_a_cost_that_is_unknown_is_not_drawn() -> None:
    assert plots.costs("", [Cost("wer", math.nan, math.nan, math.nan)], Bound()) == ""
    assert plots.costs("", [Cost("wer", 0.0, -math.inf, math.inf)], Bound()) == ""
    assert "unknown to unknown" in Bound().told(Cost("wer", 0.0, -math.inf, math.inf), "INT8")


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_a_bound_holds_or_fails_only_if_the_whole_interval_says_so(
    value: float, below: float, above: float, most: float, relative: bool
) -> None:
    one, bound = Cost("wer", value, value - below, value + above), Bound(most, ("wer",), relative)
    assert (bound.judge(one) == "holds") == (value + above <= most)
    assert (bound.judge(one) == "fails") == (value - below > most)
    assert bound.judge(replace(one, metric="cer")) == "no bound"
    assert bound.judge(replace(one, saturated=True)) != "holds"
    assert not re.search(r"[-−]0\.00\b", bound.told(one, "INT8"))


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_stand_out_from_light_and_from_dark_paper(colour: str) -> None:
    for paper in (WHITE, DARK):
        light, dark = sorted((luminance(colour), luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3  # success criterion 1.4.11


def test_no_two_lines_look_alike_to_anyone() -> None:
    assert len(set(COLOURS)) == len(set(MARKERS)) == len(COLOURS) == len(MARKERS)


def test_a_legend_covers_no_panel() -> None:
    with styled():
        figure, axes = panels(1, 2, 2.5)
        for name in ("one", "another with a long name", "a third", "a fourth"):
            axes[0][0].plot([0, 1], [0, 1], label=name)
        legend(figure)
        figure.draw_without_rendering()
        [below] = figure.legends
        edges = [axis.get_tightbbox().y0 for axis in figure.axes]
    assert below.get_window_extent().y1 <= min(edges)
    assert below.get_window_extent().x0 >= 0
    assert len({line.get_marker() for line in axes[0][0].lines}) == 4

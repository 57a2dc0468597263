"""The advice shows the Pareto front, and the commands that lead to it."""

import importlib.util
import shlex
from dataclasses import asdict
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from asrd.cli.quantize import quantize
from asrd.core import cpu
from asrd.quant.advise import GRID, Point, command, front, recipes
from asrd.quant.evaluation.bootstrap import Rate
from asrd.quant.evaluation.measure import Measurement
from asrd.quant.evaluation.score import Score
from asrd.quant.recipe import Recipe


def point(error: float, seconds: float) -> Point:
    score = Score(Rate(error, error, error), Rate(0.1, 0.1, 0.1), 10, 50)
    return Point(Recipe(), Measurement("int8", "f32", (), score, (seconds,), 0.1))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_beats(figures: list[tuple[int, int]]) -> None:
    marked = front([point(error / 10, seconds / 1000) for error, seconds in figures])
    for one, (error, seconds) in zip(marked, figures, strict=True):
        beaten = any(e <= error and s <= seconds and (e, s) != (error, seconds) for e, s in figures)
        assert one.best is not beaten
    assert any(one.best for one in marked)


def test_the_grid_begins_with_what_is_asked_for_and_never_repeats() -> None:
    grid = recipes(Recipe(seed=3))
    assert grid[0] == Recipe(seed=3, fast=True)
    assert len(set(grid)) == len(grid) == 2 * (1 + cpu.is_fast_in_bf16()) * 2 * len(GRID["smooth_quant"]) * 2


def test_every_command_is_one_that_quantize_takes() -> None:
    asked: dict[str, Any] = {
        "test_dataset": "b",
        "same_data": True,
        "windows": 50,
        "calibrate_on": "utterances",
        "metric": "cer",
    }
    asked |= {"max_drop": 0.02, "drop_type": "relative", "calibration": 7}
    other = Recipe(dataset="my speech.jsonl", keep_float=("block.*",), ranking_subset=9, iterations=2, **asked)
    for recipe in [*recipes(Recipe()), *recipes(other)]:
        words = shlex.split(command(Point(recipe, point(0.1, 0.1).measurement), "asrd-tiny-en"))
        assert words[:2] == ["asrd", "quantize"]
        ctx = quantize.make_context("quantize", words[2:])
        given = ctx.params | {
            "ranking_subset": ctx.params["ranking_subset_size"],
            "iterations": ctx.params["max_reverted"],
            "fast": True,
        }
        assert {name: given[name] for name in asdict(recipe)} == asdict(recipe)


def test_layers_that_are_to_stay_in_floating_point_do_so_in_all_of_the_grid() -> None:
    grid = recipes(Recipe(keep_float=("block.*",)))
    assert {recipe.keep_float for recipe in grid} == {("block.*",), ("block.*", "front.*")}
    assert {recipe.keep_float for recipe in recipes(Recipe(keep_float=("front.*",)))} == {("front.*",)}


def test_output_and_advise_exclude_each_other() -> None:
    for arguments in ([], ["--advise", "-o", "x"]):
        assert "either -o OUT" in str(CliRunner().invoke(quantize, arguments).exception)


def test_without_the_extra_the_command_says_which_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(quantize, ["-o", "x"])
    assert "pip install '.[quant]'" in str(result.exception)
    assert result.output == ""

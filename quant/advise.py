"""Try a small grid of recipes, and find those that no other beats in both accuracy and speed."""

import itertools
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from asrd.backends import LoadOptions, load
from asrd.core import cpu
from asrd.models import ModelDirectory
from asrd.models.convert import convert, save
from asrd.quant.calibration_windows import calibration_windows
from asrd.quant.evaluation.measure import Measurement, measure
from asrd.quant.graph import kept
from asrd.quant.progress import Progress
from asrd.quant.quantize import quantize, read_network
from asrd.quant.recipe import Recipe
from asrd.quant.split import PARTS, Split
from asrd.quant.workspace import copy_checkpoint

FRONT = ("front.*",)
GRID = {
    "keep_float": ((), FRONT),
    "arithmetic": ("f32", "bf16"),
    "preset": ("mixed", "performance"),
    "smooth_quant": (0.95, 0.5, -1.0),
    "per_tensor_weights": (False, True),
}
"""Most important first: the last one varies fastest, in case time runs out in the middle."""

OPTIONS = {
    "test_dataset": "--test-dataset",
    "same_data": "--same-data",
    "windows": "--windows",
    "calibrate_on": "--calibrate-on",
    "metric": "--metric",
    "max_drop": "--max-drop",
    "drop_type": "--drop-type",
    "ranking_subset": "--ranking-subset-size",
    "iterations": "--max-reverted",
    "smooth_quant": "--smooth-quant",
    "per_tensor_weights": "--per-tensor-weights",
    "arithmetic": "--arithmetic",
}
"""Options of `asrd quantize` for those fields of a recipe that are given only if they are not the default."""


@dataclass(frozen=True, slots=True)
class Point:
    """A recipe, its measurement on the validation set, and whether no other recipe beats it in both figures."""

    recipe: Recipe
    measurement: Measurement
    best: bool = False

    @property
    def milliseconds(self) -> float:
        """Median time per window."""
        times = sorted(self.measurement.window_seconds)
        return 1000 * times[len(times) // 2]

    @property
    def error(self) -> float:
        """The error rate that recipes are compared by: the first that is held to the bound."""
        return float(getattr(self.measurement.score, self.recipe.metrics[0]).value)


def recipes(recipe: Recipe) -> list[Recipe]:
    """Return the grid around a recipe, whose kept layers stay kept in all of it.

    Quantization is plain, because accuracy control would hide the differences.
    """
    found = []
    here = GRID if cpu.is_fast_in_bf16() else GRID | {"arithmetic": ("f32",)}
    for values in itertools.product(*here.values()):
        chosen: dict[str, Any] = dict(zip(GRID, values, strict=True))
        chosen["keep_float"] = tuple(dict.fromkeys([*recipe.keep_float, *chosen["keep_float"]]))
        found.append(replace(recipe, fast=True, **chosen))
    return list(dict.fromkeys(found))


def advise(source: ModelDirectory, recipe: Recipe, parts: Split, budget: float, progress: Progress) -> list[Point]:
    """Build and measure as many recipes of the grid as fit in `budget` seconds, in its order.

    Returns all that were measured, by error rate, with those on the Pareto front marked. Nothing is kept on disk.
    """
    deadline = time.monotonic() + budget
    grid = recipes(recipe)
    progress.stage("trying recipes", len(grid))
    points: list[Point] = []
    with tempfile.TemporaryDirectory() as directory:
        model = copy_checkpoint(source, Path(directory) / source.name)
        if not model.openvino("fp16").is_file():
            convert(model)
        windows = calibration_windows(model, parts.calibration, recipe.windows, recipe.seed, recipe.calibrate_on)
        for candidate in grid:
            if points and time.monotonic() > deadline:
                break
            network = read_network(model)
            int8, _ = quantize(network, windows, candidate, keep_float=kept(network, candidate.keep_float))
            save(int8, model.openvino("int8"), compress=True)
            backend = load("int8", model, LoadOptions(cache=False, arithmetic=candidate.arithmetic))
            [measurement] = measure({"int8": backend}, parts.validation).values()
            backend.close()
            points.append(Point(candidate, measurement))
            progress.advance()
    return sorted(front(points), key=lambda point: (point.error, point.milliseconds))


def front(points: Sequence[Point]) -> list[Point]:
    """Mark the points on the Pareto front."""

    def beaten(point: Point) -> bool:
        return any(
            other.error <= point.error
            and other.milliseconds <= point.milliseconds
            and (other.error, other.milliseconds) != (point.error, point.milliseconds)
            for other in points
        )

    return [replace(point, best=not beaten(point)) for point in points]


def command(point: Point, model: str) -> str:
    """Return the command that builds this point, from the same speech, under accuracy control."""
    recipe, default = point.recipe, Recipe()
    words = ["asrd quantize", f"--model {quote(model)}", f"--dataset {quote(recipe.dataset)}"]
    words += [f"--{part} {getattr(recipe, part)}" for part in PARTS]
    words.append(f"--preset {recipe.preset}")
    for name, option in OPTIONS.items():
        if (value := getattr(recipe, name)) != getattr(default, name):
            words.append(option if value is True else f"{option}={quote(str(value))}")
    words += [f"--keep-float {quote(pattern)}" for pattern in recipe.keep_float]
    return " ".join([*words, f"--seed {recipe.seed}", "-o OUT"])

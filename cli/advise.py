"""Show what `asrd quantize --advise` found."""

from collections.abc import Sequence

from rich.table import Table

from asrd.cli.plain import Console
from asrd.cli.say import echo
from asrd.quant.advise import Point, command


def show(points: Sequence[Point], model: str) -> None:
    """Show all points in a table, and the command for each that no other beats."""
    table = Table("", "preset", "SmoothQuant", "weights", "kept in float", "arithmetic", "WER", "CER", "ms per window")
    for point in points:
        recipe, score = point.recipe, point.measurement.score
        table.add_row(
            "●" if point.best else "",
            recipe.preset,
            f"{recipe.smooth_quant:g}" if recipe.smooth_quant >= 0 else "off",
            "per tensor" if recipe.per_tensor_weights else "per channel",
            ", ".join(recipe.keep_float) or "nothing",
            recipe.arithmetic,
            f"{score.wer.value:.2%}",
            f"{score.cer.value:.2%}",
            f"{point.milliseconds:.1f}",
            style="bold" if point.best else "dim",
        )
    console = Console()
    console.print(table)
    console.print("● no other is both more accurate and faster; to build these:")
    for point in points:
        if point.best:
            echo(f"  {command(point, model)}")

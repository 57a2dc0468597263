"""`asrd quantize`: build an INT8 model and show what it costs."""

from pathlib import Path
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from asrd.models import store
from asrd.quant.build import Recipe, Result, build
from asrd.quant.data import dataset, split
from asrd.quant.measure import NORMALIZATION


@click.command()
@click.option("--model", default=store.DEFAULT_MODEL, show_default=True, help="Name, hub id or directory.")
@click.option("--dataset", "data", default="bundled", show_default=True, help="'bundled', or a JSON-lines manifest.")
@click.option("--validate", metavar="DATASET", help="Measure on this; else half of --dataset is set aside for it.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="New model directory to write.")
@click.option("--calibration", default=300, show_default=True, type=click.IntRange(1), help="Windows at most.")
@click.option("--keep-float", multiple=True, metavar="PATTERN", help="Layers to leave alone, for example 'front.*'.")
@click.option(
    "--max-drop",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Largest rise of WER or CER: 0.01 is one point.",
)
@click.option("--seed", default=0, show_default=True, help="Chooses the split and the windows.")
def quantize(
    *,
    model: str,
    data: str,
    validate: str | None,
    output: Path,
    calibration: int,
    keep_float: tuple[str, ...],
    max_drop: float,
    seed: int,
) -> None:
    """Build an INT8 model with NNCF, measured against FP16 before it is written.

    \b
    Example:  asrd quantize --model facebook/wav2vec2-base-960h --dataset speech.jsonl -o base-int8
    Then:     asrd start --backend int8 --model base-int8

    A data set is a file of lines like {"audio": "one.flac", "text": "HELLO"}, paths relative to it.
    """
    source = store.resolve(model)
    learn, test = (dataset(data), dataset(validate)) if validate else split(dataset(data), seed)
    with Stages() as stages:
        recipe = Recipe(calibration, keep_float, max_drop, seed)
        result = build(source, output, recipe, calibration=learn, validation=test, progress=stages)
    console = Console()
    console.print(_table(result))
    console.print(f"{result.fp16.words} words of {len(test)} utterances; {NORMALIZATION}.", soft_wrap=True)
    console.print(f"wrote {output}", soft_wrap=True)


class Stages:
    """A progress bar with time left on standard error, one stage after the other."""

    def __init__(self) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)

    def stage(self, name: str, steps: int) -> None:
        """Put the next stage in place of the last one."""
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(name, total=steps)

    def advance(self) -> None:
        """One step of the current stage."""
        self._progress.advance(self._progress.task_ids[-1])

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def _table(result: Result) -> Table:
    table = Table("model", "arithmetic", "WER", "CER", "size")
    rows = zip(
        ("fp16", "int8"),
        result.arithmetic,
        (result.fp16, result.int8),
        (result.fp16_size, result.int8_size),
        strict=True,
    )
    for name, arithmetic, score, size in rows:
        table.add_row(name, arithmetic, f"{score.wer:.4f}", f"{score.cer:.4f}", f"{size / 1e6:.1f} MB")
    wer, cer = result.int8.wer - result.fp16.wer, result.int8.cer - result.fp16.cer
    table.add_row("change", "", f"{wer:+.4f}", f"{cer:+.4f}", f"{result.fp16_size / result.int8_size:.2f} × smaller")
    return table

"""`asrd compare`: accuracy and speed of a model's backends in one table, from one run."""

import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.table import Table

from asrd.cli.clips import usable
from asrd.cli.plain import Console
from asrd.cli.progress import ProgressBar
from asrd.cli.recognition import arithmetic_option, model_option
from asrd.cli.say import echo
from asrd.cli.values import NewFile
from asrd.core.errors import UsageError
from asrd.core.units import counted

if TYPE_CHECKING:
    from asrd.quant.evaluation.bootstrap import Rate
    from asrd.quant.evaluation.measure import Measurement


@click.command()
@model_option
@click.option("--dataset", default="bundled", show_default=True, help="Data set, as for 'asrd quantize'.")
@click.option(
    "--backends", default="torch,fp16,int8", show_default=True, help="Backends to compare. The first is the reference."
)
@arithmetic_option
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Use N random utterances.  [default: all]")
@click.option("--seed", default=0, show_default=True, help="Random seed for --limit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", type=NewFile(), metavar="FILE", help="Also write an HTML report.")
def compare(
    *,
    model: str,
    dataset: str,
    backends: str,
    arithmetic: str,
    limit: int | None,
    seed: int,
    as_json: bool,
    html: Path | None,
) -> None:
    """Compare the accuracy and speed of backends on transcribed speech, in one interleaved run.

    They hear it as in the daemon: its windows, stitching and decoding. Error rates and differences come
    with their bootstrap 95 % intervals. --arithmetic is for those backends that have a choice.

    \b
    Examples:
      asrd compare --dataset hf:librispeech_asr:clean:test --limit 200
      asrd compare --model base-int8 --backends fp16,int8 --html report.html
    """
    from asrd.backends import LoadOptions, load
    from asrd.backends.registry import find
    from asrd.core.cpu import flags
    from asrd.models import store
    from asrd.quant import data
    from asrd.quant.data.text import NORMALIZATION
    from asrd.quant.evaluation.bound import Bound
    from asrd.quant.evaluation.cost import Texts, cost
    from asrd.quant.evaluation.figures import figures, size, verdict
    from asrd.quant.evaluation.report import Report, write_report
    from asrd.quant.measured import Measured

    names = [name.strip() for name in backends.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"--backends takes different names with commas between, such as torch,int8, not '{backends}'")
    source, listed = store.resolve(model), data.dataset(dataset)
    with ExitStack() as closing:
        chosen = {name: arithmetic if arithmetic in find(name).arithmetics else "" for name in names}
        loaded = {name: load(name, source, LoadOptions(arithmetic=chosen[name])) for name in names}
        for backend in loaded.values():
            closing.callback(backend.close)
        with ProgressBar() as progress:
            clips = usable(listed, progress, limit, seed)
            progress.stage("measuring", len(names) * len(clips))
            measured = Measured.take(loaded, clips, progress.advance)
    measurements, conditions = measured.backends, measured.conditions
    sizes = {name: size(source, name) for name in names}
    rows = figures(measurements, sizes)
    said, speakers = [clip.text for clip in clips], [clip.speaker for clip in clips]
    texts = Texts(said, measurements[names[0]].texts, measurements[names[-1]].texts, speakers)
    costs = (cost("wer", texts), cost("cer", texts)) if len(names) > 1 else ()
    if as_json:
        facts = {"model": source.name, "dataset": dataset, "utterances": len(clips), "seed": seed}
        lost = {one.metric: one.plain() for one in costs}
        facts |= {"machine": conditions.plain(), "lost": lost}
        echo(json.dumps({**facts, "backends": {row.backend: row.plain() for row in rows}}, indent=2))
    else:
        console = Console()
        console.print(table(measurements, sizes))
        heard = f"{counted(rows[0].score.words, 'words')} of {counted(len(clips), 'utterances')}"
        console.print(f"{heard}; {NORMALIZATION}.", soft_wrap=True)
        for one in costs:
            console.print(Bound().told(one, names[-1]), soft_wrap=True)
        if conditions.busy:
            console.print(f"Do not quote these speeds: {conditions.busy}.", soft_wrap=True)
    if html:
        report = Report(
            title=f"{source.name}: {', '.join(names)}",
            verdict=verdict(rows, timed=not conditions.busy),
            measurements=measurements,
            references=said,
            ids=[clip.id for clip in clips],
            sizes=sizes,
            costs=costs,
            busy=conditions.busy,
            facts={
                "data set": f"{dataset}, {len(clips)} utterances",
                "text": NORMALIZATION,
                "processor": ", ".join(flags()) or "unknown",
            },
        )
        write_report(html, report)
        echo(f"wrote {html}", err=True)


def table(measurements: "Mapping[str, Measurement]", sizes: "Mapping[str, int]") -> Table:
    """Make a table with one row per backend, narrow enough for a small terminal."""
    from asrd.quant.evaluation.figures import figures

    first = next(iter(measurements))
    result = Table("backend", "arithmetic", box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for name in ("WER %", "CER %", f"as\n{first} %", "ms a\nwindow", f"times\n{first}", "RTF", "MB"):
        result.add_column(name, justify="right", no_wrap=name in ("WER %", "CER %"))
    for row in figures(measurements, sizes):
        result.add_row(
            row.backend,
            row.arithmetic,
            _interval(row.score.wer),
            _interval(row.score.cer),
            f"{100 * row.exact_match:.1f}",
            _known(row.speed.median, 1),
            _known(row.speed.times_first, 2),
            _known(row.real_time_factor, 3),
            f"{row.size / 1e6:.1f}" if row.size else "?",
        )
    return result


def _interval(rate: "Rate") -> str:
    return f"{100 * rate.value:.2f}\n[dim]{100 * rate.low:.1f}–{100 * rate.high:.1f}[/]"


def _known(value: float, digits: int) -> str:
    return "?" if math.isnan(value) else f"{value:.{digits}f}"

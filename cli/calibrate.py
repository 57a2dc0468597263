"""`asrd calibrate-confidence`: make a model's confidences probabilities, and its word times unbiased."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asrd.cli import complete
from asrd.cli.clips import usable
from asrd.cli.plain import Console
from asrd.cli.progress import ProgressBar
from asrd.cli.recognition import model_option
from asrd.cli.say import echo
from asrd.cli.values import NewFile
from asrd.core.errors import UsageError

if TYPE_CHECKING:
    from asrd.quant.confidence.calibrate import Judgement, Times
    from asrd.quant.confidence.examples import Transcript


@click.command()
@model_option
@click.option(
    "--backend",
    shell_complete=complete.backends,
    default="fp16",
    show_default=True,
    help="Backend that recognises the speech. The result serves all backends.",
)
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    default=["bundled"],
    show_default=True,
    metavar="[NAME=]DATASET",
    help="Data set, as for 'asrd quantize'; NAME is its name in reports. Repeatable.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Use N utterances of each data set.  [default: all]")
@click.option("--seed", default=0, show_default=True, help="Random seed for --limit.")
@click.option("--check", is_flag=True, help="Measure the present calibration; write nothing.")
@click.option("--report", type=NewFile(), metavar="FILE.md", help="Write a page with a plot.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def calibrate(
    *,
    model: str,
    backend: str,
    datasets: tuple[str, ...],
    limit: int | None,
    seed: int,
    check: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Calibrate a model's confidences on transcribed speech, so that they are probabilities.

    Writes calibration.json into the model's directory. Where flite is installed, word times are learned too. The
    figures printed are of speakers held out from what was learned; --check holds nothing out.

    \b
    Examples:
      asrd calibrate-confidence --model base-int8 --dataset my-speech.jsonl --report confidence.md
      asrd calibrate-confidence --check --backend int8 --dataset "call centre=calls/manifest.jsonl"
    """
    from asrd.backends import load
    from asrd.models import store
    from asrd.models.learned import check_apart
    from asrd.quant.confidence import calibrate as steps
    from asrd.quant.confidence.examples import transcripts
    from asrd.quant.data import dataset

    if check and report:
        raise UsageError("--check holds no speech out, so it writes no report; leave one of them out")
    source = store.resolve(model)
    check_apart(source)
    listed = [(name, dataset(spec)) for name, spec in map(_named, datasets)]
    loaded = load(backend, source)
    spoken: dict[str, list[Transcript]] = {}
    times: Times | None = None
    calibration = source.calibration
    with ProgressBar() as progress:
        for name, found in listed:
            clips = usable(found, progress, limit, seed)
            progress.stage(f"hearing {name}"[:27], len(clips))
            spoken.setdefault(name, []).extend(transcripts(loaded, clips, progress.advance))
        if not check and steps.times_can_be_learned(source):
            progress.stage("word times", 4 * steps.SENTENCES)
            calibration, times = steps.learn_times(loaded, calibration, progress.advance)
        loaded.close()
        progress.stage("confidences", None)
        if check:
            judgements = steps.judge_all(spoken, [calibration] * sum(map(len, spoken.values())))
        else:
            calibration, judgements = steps.learn_confidence(spoken, calibration)
    if not check:
        path = steps.save(source, calibration, judgements, times)
        echo(
            f"wrote {path}"
            + ("" if times else "; word times are as before, which takes flite and a model of English to learn"),
            err=True,
        )
    if report:
        from asrd.quant.confidence.report import write

        write(report, source.name, calibration, judgements, times)
        echo(f"wrote {report} and {report.with_suffix('.png')}", err=True)
    if as_json:
        facts = {"model": source.name, "backend": backend, **steps.content(calibration, judgements, times)}
        echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _show(judgements, times)


def _named(spec: str) -> tuple[str, str]:
    """Return a data set's name, and its spec. A path says too much about the machine: its folder is its name."""
    name, mark, rest = spec.partition("=")
    if mark and not Path(spec).exists():
        return name, rest
    path = Path(spec)
    return (path.resolve().parent.name if path.is_file() else path.name if path.is_dir() else spec), spec


def _show(judgements: "list[Judgement]", times: "Times | None") -> None:
    from rich import box
    from rich.table import Table

    table = Table("speech", "", box=box.SIMPLE, pad_edge=False)
    for column in ("count", "before", "ECE", "95 % interval", "by chance"):
        table.add_column(column, justify="right")
    for one in judgements:
        for kind, judged in (("words", one.words), ("utterances", one.utterances)):
            after = judged.after
            interval = f"{after.low:.3f}–{after.high:.3f}"
            chance = "" if after.chance is None else f"{after.chance:.3f}"
            figures = (f"{judged.before.ece:.3f}", f"{after.ece:.3f}", interval, chance)
            table.add_row(one.dataset, kind, str(after.count), *figures)
    console = Console()
    console.print(table)
    if times:
        for name, letters, placed in zip(("starts", "ends"), times.before[:2], times.after[:2], strict=True):
            console.print(f"word {name} err by {placed:.0f} ms, {letters:.0f} before")

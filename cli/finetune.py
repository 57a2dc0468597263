"""`asrd finetune`: train a checkpoint further on your own speech."""

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asrd.cli.clips import usable
from asrd.cli.progress import ProgressBar
from asrd.cli.recognition import model_option
from asrd.cli.say import echo
from asrd.cli.values import Number
from asrd.core.errors import MissingExtraError
from asrd.core.shell import quoted

if TYPE_CHECKING:
    from asrd.quant.evaluation.bootstrap import Rate
    from asrd.training.finetune import Tuned


@click.command()
@model_option
@click.option(
    "--data", required=True, metavar="DATASET", help="Transcribed speech: a data set, as for 'asrd quantize'."
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="New model directory to write.")
@click.option("--epochs", default=30, show_default=True, type=click.IntRange(1), help="Most epochs to train.")
@click.option(
    "--patience",
    default=4,
    show_default=True,
    type=click.IntRange(1),
    help="Epochs without improvement before training stops.",
)
@click.option("--rate", default=1e-4, show_default=True, type=Number(0, min_open=True), help="Learning rate.")
@click.option("--batch", default=8, show_default=True, type=click.IntRange(1), help="Clips per step.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Random seed for the held-out clips."
)
@click.option("--resume", is_flag=True, help="Continue an interrupted run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def finetune(*, model: str, data: str, output: Path, resume: bool, as_json: bool, **options: float) -> None:
    """Train a checkpoint further on your own speech, and show what it gained.

    A fifth of the clips is held out and measured before and after, as the daemon hears them; a
    tenth says when to stop. Ten minutes of one voice are enough to be worth it.

    \b
    Examples:
      asrd finetune --data my-voice/manifest.jsonl -o mine
      asrd finetune --model facebook/wav2vec2-base-960h --data my-voice -o mine --rate 3e-5
    """
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("transformers") is None:
        raise MissingExtraError("torch", "'asrd finetune'")
    from asrd.models import store
    from asrd.quant.data import dataset
    from asrd.quant.workspace import check_output
    from asrd.training.epochs import STATE, Tuning
    from asrd.training.finetune import finetune as tune
    from asrd.training.lessons import divide

    source, clips = store.resolve(model), dataset(data)
    check_output(output, STATE if resume else None)
    tuning = Tuning(**options)  # type: ignore[arg-type]
    try:
        with ProgressBar() as progress:
            parts = divide(usable(clips, progress), tuning.seed)
            tuned = tune(source, output, parts, tuning, resume=resume, progress=progress)
    except KeyboardInterrupt:
        echo("asrd: stopped; the same command with --resume goes on from the last epoch", err=True)
        raise
    if as_json:
        echo(json.dumps({"output": str(output), **asdict(tuned)}, indent=2))
    else:
        _show(tuned, model, data, output)


def _show(tuned: "Tuned", model: str, data: str, output: Path) -> None:
    echo(f"on {tuned.before.words} words that were held out, {model} and then {output} (epoch {tuned.epoch}):")
    for name in ("wer", "cer"):
        before, after = getattr(tuned.before, name), getattr(tuned.after, name)
        echo(f"  {name.upper()}  {_interval(before)}  →  {_interval(after)}")
    echo(f"Next: asrd quantize --model {quoted(output)} --dataset {quoted(data)} -o {quoted(f'{output}-int8')}")


def _interval(rate: "Rate") -> str:
    return f"{100 * rate.value:.1f} % ({100 * rate.low:.1f}–{100 * rate.high:.1f})"

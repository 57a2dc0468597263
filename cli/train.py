"""`asrd model train`: a model by the recipe that made the bundled one."""

from pathlib import Path
from typing import Any

import click
import cloup

from asrd.cli.progress import ProgressBar
from asrd.cli.say import echo
from asrd.cli.values import Number, named
from asrd.core.errors import UsageError

_FLOAT = ("front.0", "front.1", "position")
"""Layers that stay in 16 bits."""

_PLANNED = ("minutes", "batch", "dropout", "consistency", "seed")
"""Options that a plan has under the same names."""


@cloup.command()
@cloup.option_group(
    "Speech",
    cloup.option("--speech", multiple=True, metavar="NAME=DATASET", help="Recorded speech to train on. Repeatable."),
    cloup.option(
        "--voice", multiple=True, metavar="NAME=HOURS", help="Hours of synthetic speech: flite, hibari. Repeatable."
    ),
    cloup.option(
        "--share", multiple=True, metavar="NAME=WEIGHT", help="Sampling weight of a data set or voice. Repeatable."
    ),
    cloup.option(
        "--test",
        multiple=True,
        metavar="NAME=DATASET",
        help="Test set; its texts are excluded from training.  [default: bundled]",
    ),
    cloup.option("--unseen-speakers", is_flag=True, help="Exclude speakers of the test sets from training."),
    cloup.option(
        "--licence", multiple=True, metavar="NAME=TERMS", help="Licence of a data set, for the model card. Repeatable."
    ),
)
@cloup.option_group(
    "Training",
    cloup.option(
        "--init",
        default="whisper-tiny.en",
        show_default=True,
        metavar="WHISPER",
        help="Encoder to start from: whisper-tiny.en, whisper-base, or a path.",
    ),
    cloup.option("--from", "start", default="", metavar="MODEL", help="Continue training this model instead."),
    cloup.option("--minutes", default=100.0, show_default=True, type=Number(0.1), help="Minutes of training."),
    cloup.option("--batch", default=72.0, show_default=True, type=Number(10), help="Seconds of speech per step."),
    cloup.option(
        "--dropout",
        default=0.0,
        show_default=True,
        type=Number(0, 0.9),
        help="Dropout; 0.1 where all speech is heard dozens of times.",
    ),
    cloup.option(
        "--consistency",
        default=0.0,
        show_default=True,
        type=Number(0, 10),
        help="Weight of the consistency loss, such as 0.2; doubles the time of a step.",
    ),
    cloup.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Random seed."),
)
@cloup.option_group(
    "Running",
    cloup.option(
        "-o", "--output", required=True, type=click.Path(path_type=Path), help="New model directory to write."
    ),
    cloup.option(
        "--work",
        default="trained",
        type=click.Path(path_type=Path),
        show_default=True,
        help="Working directory; an interrupted run continues from it.",
    ),
    cloup.option(
        "--watts",
        default=10.0,
        show_default=True,
        type=Number(0),
        help="Power the machine draws, for the energy estimate.",
    ),
)
@click.pass_context
def train(ctx: click.Context, /, *, output: Path, work: Path, watts: float, **options: Any) -> None:
    """Train a model by the recipe that made the bundled one.

    Speech, training, INT8, measurement, card: every stage keeps what it has done in --work, and the same
    command goes on where an interrupted one stopped. Data sets are named as for 'asrd quantize'.

    \b
    Examples:
      asrd model train -o my-tiny --voice flite=5 --voice hibari=8
      asrd model train -o libri --speech clean=LibriSpeech/train-clean-100 --test clean=LibriSpeech/test-clean
      asrd model train -o better --from asrd-tiny-en --speech mine=recordings/manifest.jsonl --minutes 30
    """
    from asrd.cli.quantize import quantize
    from asrd.models import ModelDirectory
    from asrd.training import card, run
    from asrd.training.machine import machine

    if output.exists():
        raise UsageError(f"{output} exists already; give a new directory, or remove it first")
    order = _order(work, **options)
    with ProgressBar() as progress:
        checkpoint = run.make(order, progress)
    # the front end computes with large numbers beside small ones, which 8 bits cannot hold
    ctx.invoke(quantize, model=str(checkpoint.path), output=output, keep_float=_FLOAT, smooth_quant=0.5)
    model = ModelDirectory.open(output)
    facts = run.facts(order, model)
    facts |= {"machine": machine(), "watts": watts, "watt_hours": watts * facts["minutes"] / 60}
    with ProgressBar() as progress:
        measured = card.evaluate(model, order.tests, progress)
    echo(card.write(model, facts, measured))


def _order(work: Path, *, init: str, start: str, **given: Any) -> Any:
    from asrd.training.order import Order
    from asrd.training.plan import Plan

    shares = named(given["share"], "--share", float)
    return Order(
        work=work,
        plan=Plan(shares=shares, init=init, start=start, **{name: given[name] for name in _PLANNED}),
        speech=named(given["speech"], "--speech", str),
        tests=named(given["test"], "--test", str) or {"bundled": "bundled"},
        voices=named(given["voice"], "--voice", float),
        licences=named(given["licence"], "--licence", str),
        unseen_speakers=given["unseen_speakers"],
    )

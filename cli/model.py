"""`asrd model`: list, pull, verify, convert and train models."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.table import Table

from asrd.cli import complete
from asrd.cli.installed import backends, describe, measured, size
from asrd.cli.plain import print_table
from asrd.cli.progress import ProgressBar
from asrd.cli.say import echo
from asrd.cli.train import train
from asrd.cli.values import named
from asrd.core.errors import MissingExtraError, ModelError, UsageError
from asrd.core.language import primary
from asrd.core.shell import quoted
from asrd.models import ModelDirectory, hub, manifest, store
from asrd.models.convert import convert as convert_model
from asrd.models.lm.settings import DecodingSettings

if TYPE_CHECKING:
    from asrd.quant.evaluation.remeasure import Repeated

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
MODEL = click.argument("name", metavar="[MODEL]", default=store.DEFAULT_MODEL)


@click.group()
def model() -> None:
    """List, pull, verify, convert and train models.

    \b
    Example:
      asrd model list
    """


model.add_command(train)


@model.command("list")
@AS_JSON
def list_(*, as_json: bool) -> None:
    """List the models that --model takes by name.

    \b
    Example:
      asrd model list --json
    """
    found = store.installed()
    if as_json:
        echo(json.dumps([describe(entry) for entry in found], indent=2))
        return
    table = Table("model", "from", "backends", "size", "WER %", "× real time")
    for entry in found:
        name = f"{entry.name} (default)" if entry.name == store.DEFAULT_MODEL else entry.name
        known = measured(entry.path)
        rates = ", ".join(f"{test} {100 * facts['wer']:.0f}" for test, facts in known.items())
        speed = f"{max(facts['times_real_time'] for facts in known.values()):.0f}" if known else ""
        megabytes = f"{size(entry.path) / 1e6:.1f} MB"
        table.add_row(name, entry.origin, " ".join(backends(entry.path)), megabytes, rates, speed)
    print_table(table)


@model.command()
@click.argument("name", metavar="ID")
@click.option("--revision", default="main", show_default=True, help="Branch, tag or commit to download.")
def pull(*, name: str, revision: str) -> None:
    """Download a CTC checkpoint from the Hugging Face hub.

    It is converted for the fp16 backend where PyTorch is installed. An interrupted download goes on where
    it stopped. Every file is checked against the hub's hash. Of a checkpoint of several languages, such as MMS, name
    one: ID@LANGUAGE.

    \b
    Examples:
      asrd model pull facebook/wav2vec2-base-960h
      asrd start --model facebook/wav2vec2-base-960h
      asrd model pull facebook/mms-1b-all@deu
    """
    pulled = hub.pull(name, revision, notice=lambda text: echo(text, err=True))
    echo(f"{name} is in {pulled.path}")
    if not pulled.openvino("fp16").is_file():
        try:
            echo(f"converted: {convert_model(pulled)}")
        except MissingExtraError as error:
            echo(f"not converted for the fp16 backend: {error}, then 'asrd model convert {quoted(name)}'")
            return
    echo(f"use it: asrd start --model {quoted(name)}")
    if hint := _language_model(name, pulled):
        echo(hint)


def _language_model(name: str, pulled: ModelDirectory) -> str:
    """Return how a model gets a language model, which none from the hub has; "" where it cannot use one."""
    from asrd.daemon.recognition.decoding.options import unsearchable

    if DecodingSettings.load(pulled.path).lm != "none" or unsearchable(pulled.vocabulary):
        return ""
    language = primary(pulled.speaks)
    if language in ("", "en"):
        whose = "" if language else ", if it is English"
        return f"with a language model{whose}: asrd start --model {quoted(name)} --lm en"
    return f"with a language model of its language, in KenLM's form: asrd start --model {quoted(name)} --lm FILE"


@model.command()
@click.argument("name", metavar="ID", shell_complete=complete.models)
def remove(*, name: str) -> None:
    """Delete a pulled model, with all that was made of it.

    \b
    Example:
      asrd model remove facebook/wav2vec2-base-960h
    """
    freed = {found.name: size(found.path) for found in store.installed()}
    removed = store.remove(name)
    echo(f"removed {removed.name}: {freed[removed.name] / 1e6:.1f} MB")


@model.command()
@MODEL
@click.option("--measure", is_flag=True, help="Also measure WER and CER again, and compare them with the manifest.")
@click.option("--dataset", default="", help="Where the data set is now, if it has moved.")
@click.option(
    "--test",
    "tests",
    multiple=True,
    metavar="NAME=DATASET",
    help="Also measure this test set of the model card. Repeatable.",
)
@AS_JSON
def verify(*, name: str, measure: bool, dataset: str, tests: tuple[str, ...], as_json: bool) -> None:
    """Check a model's files against its manifest.

    The exit code is 1 if any differs. With --measure, all backends hear clips again as well: those of
    the proof, or bundled ones if those of the proof are not bundled. A rate holds if it is within half a
    point of the recorded one, because processors round differently.

    \b
    Examples:
      asrd model verify facebook/wav2vec2-base-960h
      asrd model verify ./base-int8 --measure
      asrd model verify ./base-int8 --measure --test calls=calls/manifest.jsonl
    """
    if tests and not measure:
        raise UsageError("--test names what --measure is to measure; add --measure")
    directory, sets = store.resolve(name), named(tests, "--test", str)
    problems = manifest.verify(directory.path)
    repeated = _measure(directory, dataset, sets) if measure and not problems else []
    broken = [rate for rate in repeated if not rate.holds]
    if as_json:
        report: dict[str, object] = {"model": name, "path": str(directory.path), "ok": not problems and not broken}
        report["problems"] = [{"file": problem.file, "problem": problem.what} for problem in problems]
        if measure:
            report["measured"] = [{**asdict(rate), "holds": rate.holds} for rate in repeated]
        echo(json.dumps(report, indent=2))
    elif problems:
        for problem in problems:
            echo(f"{directory.path / problem.file}: {problem.what}")
    else:
        echo(f"{name}: all {len(manifest.read(directory.path)['files'])} files are as the manifest says")
        if repeated:
            print_table(_rates(repeated))
    if broken:
        worst = max(broken, key=lambda rate: abs(rate.measured - rate.recorded))
        raise ModelError(
            f"{len(broken)} of {len(repeated)} rates of {name} do not hold: {_where(worst)} has "
            f"{100 * worst.measured:.2f} % {worst.metric.upper()}, {100 * worst.recorded:.2f} % was recorded; "
            "build the model again on this machine"
        )
    if problems:
        sys.exit(1)


def _measure(model: ModelDirectory, dataset: str, tests: dict[str, str]) -> "list[Repeated]":
    from asrd.quant.evaluation.remeasure import find, remeasure, repeatable, tested

    wanted = [(one, dataset) for one in repeatable(model, dataset)]
    wanted += [(tested(model, test), spec) for test, spec in tests.items()]
    found = [(one, find(one, spec)) for one, spec in wanted]
    repeated = []
    with ProgressBar() as progress:
        for one, clips in found:
            progress.stage(
                f"measuring on {one.test}" if one.test else "measuring",
                len(one.rates) * len(clips) * (2 if one.decoder else 1),
            )
            repeated += remeasure(model, one, clips, progress.advance)
    return repeated


def _where(rate: "Repeated") -> str:
    return f"{rate.backend} on {rate.test}" if rate.test else rate.backend


def _rates(repeated: "list[Repeated]") -> Table:
    table = Table("backend", "rate", "recorded", "now", "within 0.5 points")
    for rate in repeated:
        recorded, now = (f"{100 * value:.2f} %" for value in (rate.recorded, rate.measured))
        table.add_row(_where(rate), rate.metric.upper(), recorded, now, "yes" if rate.holds else "no")
    return table


@model.command()
@MODEL
def path(*, name: str) -> None:
    """Print a model's directory.

    \b
    Example:
      ls "$(asrd model path)"
    """
    echo(store.resolve(name).path)


@model.command()
@MODEL
def convert(*, name: str) -> None:
    """Build the FP16 model of a checkpoint, in its directory.

    \b
    Example:
      asrd model convert ./my-finetuned-wav2vec2
    """
    echo(convert_model(store.resolve(name)))

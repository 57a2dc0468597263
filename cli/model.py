"""`asrd model`: which models there are, and how to get another."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from asrd.core.errors import MissingExtraError
from asrd.models import hub, manifest, store
from asrd.models.convert import convert as convert_model
from asrd.models.directory import WEIGHT_FILES

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
MODEL = click.argument("name", metavar="[MODEL]", default=store.DEFAULT_MODEL)


@click.group()
def model() -> None:
    """Models: list, pull, verify, convert.

    \b
    Example:  asrd model list
    """


@model.command("list")
@AS_JSON
def list_(*, as_json: bool) -> None:
    """The models that --model takes by name.

    \b
    Example:  asrd model list --json
    """
    found = store.installed()
    if as_json:
        click.echo(json.dumps([_describe(entry) for entry in found], indent=2))
        return
    table = Table("model", "from", "backends", "size")
    for entry in found:
        name = f"{entry.name} (default)" if entry.name == store.DEFAULT_MODEL else entry.name
        table.add_row(name, entry.origin, " ".join(_backends(entry.path)), f"{_size(entry.path) / 1e6:.1f} MB")
    Console().print(table)


@model.command()
@click.argument("name", metavar="ID")
@click.option("--revision", default="main", show_default=True, help="Branch, tag or commit.")
def pull(*, name: str, revision: str) -> None:
    """Fetch a Wav2Vec2-CTC checkpoint from the Hugging Face hub and convert it.

    An interrupted download goes on where it stopped. Every file is checked against the hub's hash.

    \b
    Example:  asrd model pull facebook/wav2vec2-base-960h
    Then:     asrd start --model facebook/wav2vec2-base-960h --backend fp16
    """
    pulled = hub.pull(name, revision)
    click.echo(f"{name} is in {pulled.path}")
    if pulled.openvino("fp16").is_file():
        return
    try:
        click.echo(f"converted: {convert_model(pulled)}")
    except MissingExtraError as error:
        click.echo(f"not converted for the fp16 backend: {error}, then 'asrd model convert {name}'")


@model.command()
@MODEL
@AS_JSON
def verify(*, name: str, as_json: bool) -> None:
    """Compare a model's files with its manifest; exit code 1 if any differs.

    \b
    Example:  asrd model verify facebook/wav2vec2-base-960h
    """
    directory = store.resolve(name).path
    problems = manifest.verify(directory)
    if as_json:
        faults = [{"file": problem.file, "problem": problem.what} for problem in problems]
        click.echo(json.dumps({"model": name, "path": str(directory), "ok": not faults, "problems": faults}, indent=2))
    elif problems:
        for problem in problems:
            click.echo(f"{directory / problem.file}: {problem.what}")
    else:
        click.echo(f"{name}: all {len(manifest.read(directory)['files'])} files are as the manifest says")
    if problems:
        sys.exit(1)


@model.command()
@MODEL
def path(*, name: str) -> None:
    """Print a model's directory.

    \b
    Example:  ls "$(asrd model path)"
    """
    click.echo(store.resolve(name).path)


@model.command()
@MODEL
def convert(*, name: str) -> None:
    """Build the FP16 model from a checkpoint, in its directory.

    \b
    Example:  asrd model convert ./my-finetuned-wav2vec2
    """
    click.echo(convert_model(store.resolve(name)))


def _describe(entry: store.Installed) -> dict[str, object]:
    return {
        "name": entry.name,
        "origin": entry.origin,
        "default": entry.name == store.DEFAULT_MODEL,
        "backends": _backends(entry.path),
        "bytes": _size(entry.path),
        "path": str(entry.path),
    }


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _backends(directory: Path) -> list[str]:
    """The bundled backends for which the files are there; the directory may be faulty otherwise."""
    built = [name for name in ("fp16", "int8") if (directory / "openvino" / f"{name}.xml").is_file()]
    return [*(["torch"] if any((directory / name).is_file() for name in WEIGHT_FILES) else []), *built]

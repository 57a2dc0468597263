"""`asrd backend`: list backends, and switch the daemon to another."""

import json
from dataclasses import asdict

import click
from rich.table import Table
from rich.text import Text

from asrd.backends import BackendStatus, available
from asrd.cli import complete
from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import control_option
from asrd.cli.plain import print_table
from asrd.cli.say import echo
from asrd.clients import Control


@click.group()
def backend() -> None:
    """List and switch backends, the runtimes that turn audio into logits.

    \b
    Examples:
      asrd backend list
      asrd backend use fp16
    """


@backend.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with one object per backend.")
def list_backends(as_json: bool) -> None:
    """List installed backends, who ships them, and any problem with them.

    \b
    Example:
      asrd backend list --json
    """
    found = available()
    if as_json:
        echo(json.dumps([asdict(status) | {"ready": not status.problem} for status in found]))
    else:
        print_table(_table(found))


@backend.command(cls=ConfiguredCommand)
@click.argument("name", shell_complete=complete.backends)
@control_option
def use(name: str, control: str) -> None:
    """Switch a running daemon to another backend.

    It goes on with the one it has until the other is loaded, changes between two windows, and loses no word.

    \b
    Example:
      asrd backend use torch
    """
    previous = Control(control).use_backend(name)
    echo(f"{name} is in use already" if previous == name else f"{previous} → {name}", err=True)


def _table(found: list[BackendStatus]) -> Table:
    table = Table("backend", "shipped by", "state")
    for status in found:
        state = Text(status.problem, "red") if status.problem else Text("ready", "green")
        table.add_row(status.name, status.distribution, state)
    return table

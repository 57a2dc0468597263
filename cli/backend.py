"""`asrd backend`: which backends there are."""

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from asrd.backends import BackendStatus, available


@click.group()
def backend() -> None:
    """List backends, the runtimes that turn audio into logits.

    \b
    Example:
      asrd backend list
    """


@backend.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, one object a backend.")
def list_backends(as_json: bool) -> None:
    """Show every installed backend, who ships it, and why it cannot be used where it cannot.

    \b
    Example:
      asrd backend list --json
    """
    found = available()
    if as_json:
        click.echo(json.dumps([asdict(status) | {"ready": not status.problem} for status in found]))
    else:
        Console().print(_table(found))


def _table(found: list[BackendStatus]) -> Table:
    table = Table("backend", "shipped by", "state")
    for status in found:
        state = f"[red]{status.problem}" if status.problem else "[green]ready"
        table.add_row(status.name, status.distribution, state)
    return table

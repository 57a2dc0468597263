"""Print names and paths as they are."""

import os
from typing import TYPE_CHECKING

import rich.console

if TYPE_CHECKING:
    from rich.table import Table

LEAST = 80
"""Columns that a table gets. A terminal that is narrower wraps its lines, which can still be read; cut words cannot."""

MOST = 1000
"""Columns of a line for another program."""


class Console(rich.console.Console):
    """Rich's, but for a reader that has seen enough (`| head`): that is no failure, and `main` knows."""

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1."""
        raise BrokenPipeError


def plain_console(*, stderr: bool = False) -> Console:
    """A console without markup, emoji names and highlighting: `[front]` may well name a microphone."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def print_table(table: "Table") -> None:
    """Print a table; for a pipe, where no COLUMNS say otherwise, each row in one line."""
    console = plain_console()
    if console.is_terminal or "COLUMNS" in os.environ:
        console.width = max(console.width, LEAST)
    else:
        console.width = console.measure(table, options=console.options.update(width=MOST)).maximum
    console.print(table)

"""Print names and paths as they are."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import rich.console
from rich.segment import Segment

from asrd.core.display import shown

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType
    from rich.table import Table

LEAST = 80
"""Fewest columns of a table. A narrower terminal wraps its lines, which can still be read; cut words cannot."""

MOST = 1000
"""Most columns of a line for another program."""


class Console(rich.console.Console):
    """Rich's console, except that text cannot control the terminal, and that a closed pipe (`| head`) is no failure;
    `main` handles it.
    """

    def render(self, renderable: "RenderableType", options: "ConsoleOptions | None" = None) -> Iterator[Segment]:
        """Yield what is to be shown, with control characters in text as escapes."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text, keep="\n"))

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError, instead of exiting with 1 as Rich does."""
        raise BrokenPipeError


def plain_console(*, stderr: bool = False) -> Console:
    """Make a console without markup, emoji names and highlighting: `[front]` may well name a microphone."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def print_table(table: "Table") -> None:
    """Print a table; for a pipe without COLUMNS, print each row on one line."""
    console = plain_console()
    if console.is_terminal or "COLUMNS" in os.environ:
        console.width = max(console.width, LEAST)
    else:
        console.width = console.measure(table, options=console.options.update(width=MOST)).maximum
    console.print(table)

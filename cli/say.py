"""Print text that others may have written."""

from typing import Any

import click

from asrd.core.display import shown


def echo(message: Any = "", *, err: bool = False, nl: bool = True, fg: str | None = None, bold: bool = False) -> None:
    """Print as `click.echo` does, with control characters other than line breaks and tabs shown as escapes."""
    text = shown(str(message), keep="\n\t")
    click.secho(text, err=err, nl=nl, fg=fg, bold=bold or None)

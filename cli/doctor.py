"""`asrd doctor`: find problems and say how to fix them."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click
from click.core import ParameterSource

from asrd.cli.checks import DAEMON, MACHINE, Finding, Subject, answering
from asrd.cli.config import ConfiguredCommand
from asrd.cli.daemon_options import daemon
from asrd.cli.say import echo
from asrd.cli.start import start
from asrd.core.errors import AsrdError

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}

_OPTIONS = [option for option in start.params if option.name not in ("check", "verbose", "log_format", "help")]
"""Those of `asrd start`, so that what it would do is what is tried."""


@click.command(cls=ConfiguredCommand, params=_OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with one object per finding.")
@click.pass_context
def doctor(ctx: click.Context, /, as_json: bool, **params: Any) -> None:
    """Find problems that would keep 'asrd start' from working, and say how to fix them.

    It tries what 'asrd start' would do with the same settings and options: its sources, model, addresses and files.
    Exits with 0 when nothing fails; a warning (no microphone, where none was named) is not a failure.

    \b
    Examples:
      asrd doctor
      asrd doctor --model my-model/ -s mic:USB
    """
    found = []
    for finding in _findings(params, ctx.get_parameter_source("source") is not ParameterSource.DEFAULT):
        found.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        echo(json.dumps([asdict(finding) for finding in found]))
    if any(finding.state == "fail" for finding in found):
        sys.exit(1)


def _findings(params: dict[str, Any], chosen: bool) -> Iterator[Finding]:
    """Yield what is found. chosen: whether somebody chose the sources."""
    for look in MACHINE:
        yield from look()
    try:
        options = daemon(params)
    except AsrdError as error:
        yield Finding.of("settings", error)
        return
    subject = Subject(options, chosen, answering(options.control))
    for check in DAEMON:
        yield from check(subject)


def _print(finding: Finding) -> None:
    mark, colour = MARKS[finding.state]
    echo(f"{mark} {finding.subject:<11}", fg=colour, nl=False)
    echo(finding.message)
    if finding.remedy:
        echo(f"  {'':<11}→ {finding.remedy}", bold=True)

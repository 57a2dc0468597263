"""`asrd doctor`: find problems and say how to fix them."""

import json
import sys
from dataclasses import asdict
from typing import Any

import click

from asrd.cli import complete
from asrd.cli.checks import CHECKS, Finding, Subject
from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import control_option, events_option, insecure_option, key_option, record_option
from asrd.cli.recognition import model_option
from asrd.cli.say import echo
from asrd.core.defaults import BACKEND

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


@click.command(cls=ConfiguredCommand)
@click.option(
    "--backend",
    shell_complete=complete.backends,
    default=BACKEND,
    show_default=True,
    help="Backend to try; see 'asrd backend list'.",
)
@model_option
@events_option
@control_option
@key_option
@insecure_option
@record_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with one object per finding.")
def doctor(*, as_json: bool, **params: Any) -> None:
    """Find problems that would keep asrd from working, and say how to fix them.

    Exits with 0 when nothing fails; a warning (no microphone, say) is not a failure.

    \b
    Example:
      asrd doctor --model my-model/
    """
    subject = Subject(**params)
    found = []
    for check in CHECKS:
        for finding in check(subject):
            found.append(finding)
            if not as_json:
                _print(finding)
    if as_json:
        echo(json.dumps([asdict(finding) for finding in found]))
    if any(finding.state == "fail" for finding in found):
        sys.exit(1)


def _print(finding: Finding) -> None:
    mark, colour = MARKS[finding.state]
    echo(f"{mark} {finding.subject:<11}", fg=colour, nl=False)
    echo(finding.message)
    if finding.remedy:
        echo(f"  {'':<11}→ {finding.remedy}", bold=True)

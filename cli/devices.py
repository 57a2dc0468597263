"""`asrd devices`: list microphones."""

import dataclasses
import json

import click

from asrd.cli.plain import print_table
from asrd.cli.say import echo
from asrd.core import key
from asrd.core.key import Key
from asrd.daemon.sources import portaudio
from asrd.daemon.sources.inputs import InputDevice


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with one object per device.")
def devices(as_json: bool) -> None:
    """List the microphones that `--source mic:NAME` can use.

    \b
    Examples:
      asrd devices
      asrd start --source mic:USB
    """
    found = portaudio.devices()
    if as_json:
        echo(json.dumps([dataclasses.asdict(device) for device in found]))
        return
    if not found:
        echo("no microphones found")
        echo(f"hint: to hear another machine's: {elsewhere(key.find())}", err=True)
        return
    _print(found)


def elsewhere(known: Key | None) -> str:
    """Return commands that hear another machine's microphone. known: the key of a daemon here."""
    return f"{'' if known else 'asrd key new; '}asrd start --source pcm:tcp://0.0.0.0:7000"


def _print(found: list[InputDevice]) -> None:
    from rich.table import Table

    table = Table("", "#", "name", "channels", "rate", "system", box=None)
    for device in found:
        mark = "*" if device.default else ""
        table.add_row(mark, str(device.index), device.name, str(device.channels), f"{device.rate} Hz", device.host)
    print_table(table)
    if any(device.default for device in found):
        echo("* the default, which --source mic uses", err=True)

"""`asrd set`: change a running daemon's settings, or show them."""

import json

import click
import msgspec

from asrd.cli import complete
from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import control_option
from asrd.cli.plain import print_table
from asrd.cli.say import echo
from asrd.clients import Control
from asrd.core.control import Setting
from asrd.core.errors import UsageError
from asrd.core.units import samples, seconds


@click.command("set", cls=ConfiguredCommand)
@click.argument("pairs", nargs=-1, metavar="[NAME SECONDS]...", shell_complete=complete.settings)
@click.option("--stream", "name", default="", help="Only this stream.  [default: all]")
@control_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: value, default, least and most in seconds, by stream and name."
)
def set_(pairs: tuple[str, ...], name: str, control: str, as_json: bool) -> None:
    """Change endpointing of a running daemon, from the next audio on. Without names, show the settings.

    Either all are set or none. They last until the daemon stops; use asrd.toml to keep them. A new hangover forgets the
    speaker's pauses, and moves its bounds unless they are set too; pre-roll and min-speech take effect with the next
    utterance.

    \b
    Examples:
      asrd set
      asrd set hangover 0.8 max-utterance 20
      asrd set max-hangover 1.5 --stream desk
    """
    client = Control(control)
    values = _values(pairs)
    found = client.set(values, name) if values else client.settings(name)
    if as_json:
        echo(json.dumps({stream: {key: _seconds(one) for key, one in of.items()} for stream, of in found.items()}))
        return
    from rich.table import Table

    table = Table("stream", "setting", "seconds", "default", "from", "to", box=None)
    for stream, settings in found.items():
        for key, setting in settings.items():
            shown = (f"{value:.2f}" for value in _seconds(setting).values())
            table.add_row(stream, key.replace("_", "-"), *shown)
    print_table(table)


def _values(pairs: tuple[str, ...]) -> dict[str, int]:
    if len(pairs) % 2:
        raise UsageError(f"'{pairs[-1]}' has no value; write: asrd set hangover 0.8 max-utterance 20")
    values: dict[str, int] = {}
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        try:
            values[key.replace("-", "_")] = samples(float(value))
        except ValueError:
            raise UsageError(f"{key} is a number of seconds, not '{value}'") from None
    return values


def _seconds(setting: Setting) -> dict[str, float]:
    return {key: seconds(value) for key, value in msgspec.structs.asdict(setting).items()}

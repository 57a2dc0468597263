"""`asrd pause` and `asrd resume`: have a daemon hear nothing for a while."""

from collections.abc import Mapping

import click

from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import control_option
from asrd.cli.say import echo
from asrd.clients import Control
from asrd.core.display import shown


@click.command(cls=ConfiguredCommand)
@click.argument("stream", default="")
@click.option("--toggle", is_flag=True, help="Resume if all are paused, otherwise pause: for a hot key.")
@control_option
def pause(control: str, stream: str, toggle: bool) -> None:
    """Hear nothing more of a stream, or of all, until 'asrd resume'. What is said meanwhile is discarded, and is
    neither in events nor in recordings. A file waits. The signal SIGUSR1 does what --toggle does.

    \b
    Examples:
      asrd pause
      asrd pause desk
      asrd pause --toggle
    """
    _tell(Control(control).pause(on=None if toggle else True, stream=stream))


@click.command(cls=ConfiguredCommand)
@click.argument("stream", default="")
@control_option
def resume(control: str, stream: str) -> None:
    """Hear a stream that was paused, or all of them, again.

    \b
    Example:
      asrd resume
    """
    _tell(Control(control).pause(on=False, stream=stream))


def _tell(paused: Mapping[str, bool]) -> None:
    for name, is_paused in paused.items():
        echo(shown(f"{name} is {'paused' if is_paused else 'heard'}"))

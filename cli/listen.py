"""`asrd listen`: show a daemon's transcripts as they come."""

import os
import re
import socket
from datetime import datetime, timedelta
from typing import Any

import click

from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import events_option, format_option, own_style, text_options
from asrd.cli.say import echo
from asrd.cli.signals import orderly
from asrd.cli.values import MAX_WAIT
from asrd.cli.views import view
from asrd.clients import Hole, Reader, Subscriber
from asrd.core.display import shown
from asrd.core.errors import TransportError, UsageError
from asrd.core.events import Status, Stopped

LAST = f"listen-{os.getuid()}@{socket.gethostname()}"[:64]
"""Name of the consumer whose position the daemon keeps for `--since last`."""


@click.command(cls=ConfiguredCommand)
@events_option
@click.option("--stream", "streams", multiple=True, help="Show only this stream. Repeatable.")
@format_option
@click.option("--since", metavar="TIME|SEQ|last", help="Show past events first; 'last': those since the last time.")
@click.option("--once", is_flag=True, help="End when the daemon stops, instead of waiting for the next one.")
@click.option("--wait", default=3.0, type=MAX_WAIT, show_default=True, help="Seconds to wait for the first daemon.")
@text_options
@click.pass_context
def listen(
    ctx: click.Context,
    /,
    *,
    events: str,
    streams: tuple[str, ...],
    format_: str,
    since: str | None,
    once: bool,
    wait: float,
    **_: Any,
) -> None:
    """Show transcripts live: partials are redrawn in place, finals are kept. Goes on when the daemon is restarted, and
    shows what was said meanwhile.

    Text and subtitles are written in the daemon's style, but for what is given here; hot words as they were added.
    Where there are several streams, lines of text begin with their names. JSON is the events, in which 'text' is
    what the model wrote and 'display' what is shown.

    --since takes a time such as 10:30 or 2026-12-31T10:30, or the seq of an event. With 'last' it shows what came
    since 'asrd listen --since last' was left: the daemon remembers it, and shows all that it has the first time.

    \b
    Examples:
      asrd listen
      asrd listen --since 10:30
      asrd listen --format json | jq -r 'select(.type == "final").text'
      asrd listen --format srt --stream desk > talk.srt
    """
    reader = Reader(**own_style(ctx))
    with orderly():
        screen = view(format_, reader, streams)
        try:
            begin = {"name": LAST} if since == "last" else {"since": moment(since, datetime.now().astimezone())}
            with Subscriber(events, streams, **begin, once=once, waiting=tell_waiting, timeout=wait) as subscriber:
                for item in subscriber:
                    reader.see(item)
                    if isinstance(item, Status):
                        check_streams(streams, item)
                        streams = ()  # another daemon may have others
                    if isinstance(item, Hole):
                        echo(f"asrd: events {item.first} to {item.last} are lost", err=True)
                    screen.show(item)
                    if isinstance(item, Stopped):
                        echo(shown(f"asrd: the daemon has stopped: {item.reason}"), err=True)
        except KeyboardInterrupt:
            pass
        finally:
            screen.close()


def moment(given: str | None, now: datetime) -> int | datetime | None:
    """Return what `--since` means: a `seq`, or a time; a time of day is the latest that has been. Raises UsageError."""
    if given is None or given.isdecimal():
        return None if given is None else int(given)
    try:
        if re.fullmatch(r"\d?\d:\d\d(:\d\d)?", given):
            hour, _, rest = given.partition(":")
            today = datetime.fromisoformat(f"{now:%Y-%m-%d} {hour:0>2}:{rest}").astimezone()
            return today if today <= now else (today - timedelta(days=1)).astimezone()
        return datetime.fromisoformat(given).astimezone()
    except ValueError as error:
        raise UsageError(f"--since takes a time such as 10:30, the seq of an event or 'last', not '{given}'") from error


def check_streams(streams: tuple[str, ...], status: Status) -> None:
    """Raise UsageError if a stream that was chosen is not there."""
    if unknown := [name for name in streams if name not in status.streams]:
        known = ", ".join(status.streams)
        raise UsageError(f"no stream is called '{unknown[0]}' there; there are: {known}")


def tell_waiting(error: TransportError) -> None:
    """Say why nothing comes for now."""
    echo(shown(f"asrd: {error}; waiting for it"), err=True)

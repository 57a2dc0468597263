"""`asrd listen`: show a daemon's transcripts as they come."""

from dataclasses import replace
from typing import Any

import click

from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import events_option, format_option, text_options, text_style
from asrd.cli.signals import orderly
from asrd.cli.values import MAX_WAIT
from asrd.cli.views import view
from asrd.clients import Hole, Subscriber
from asrd.core.errors import UsageError
from asrd.core.events import Status, Stopped


@click.command(cls=ConfiguredCommand)
@events_option
@click.option("--stream", "streams", multiple=True, help="Show only this stream. Repeatable.")
@format_option
@click.option("--wait", default=3.0, type=MAX_WAIT, show_default=True, help="Seconds to wait for a daemon.")
@text_options
def listen(events: str, streams: tuple[str, ...], format_: str, wait: float, **params: Any) -> None:
    """Show transcripts live: partials are redrawn in place, finals are kept. Ends when the daemon is stopped.

    Text and subtitles have sentences and case; JSON is the events as they are, with the words as the model
    wrote them, as --raw shows them. Hot words are written as they were added. Where there are several streams,
    lines of text begin with their names.

    \b
    Examples:
      asrd listen
      asrd listen --format json | jq -r 'select(.type == "final").text'
      asrd listen --format srt --stream desk > talk.srt
    """
    style = text_style(params)
    names = list(style.spellings)
    with orderly():
        shown = view(format_, replace(style, spellings=names), streams)
        try:
            with Subscriber(events, streams, timeout=wait) as subscriber:
                for item in subscriber:
                    if isinstance(item, Status) and (unknown := [name for name in streams if name not in item.streams]):
                        known = ", ".join(item.streams)
                        raise UsageError(f"no stream is called '{unknown[0]}' there; there are: {known}")
                    if isinstance(item, Status):
                        names[:] = style.naming(item.words).spellings
                    if isinstance(item, Hole):
                        click.echo(f"asrd: {item.count} events were missed", err=True)
                    shown.show(item)
                    if isinstance(item, Stopped):
                        click.echo(f"asrd: the daemon has stopped: {item.reason}", err=True)
        except KeyboardInterrupt:
            pass
        finally:
            shown.close()

"""`asrd live`: microphone to text on this terminal, with nothing else to start."""

import tempfile
from pathlib import Path
from typing import Any

import click

from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import format_option, source_options, text_options
from asrd.cli.private import PrivateDaemon, finishing, given
from asrd.cli.recognition import check_words, recognition_options
from asrd.cli.say import echo
from asrd.cli.signals import orderly
from asrd.cli.views import view
from asrd.clients import Reader
from asrd.core.display import shown
from asrd.core.events import Status


@click.command(cls=ConfiguredCommand)
@source_options("mic")
@format_option
@text_options
@recognition_options
@click.pass_context
def live(ctx: click.Context, /, format_: str, **params: Any) -> None:
    """Show what is being said, until Ctrl-C: a daemon of its own listens, and ends with this command.

    Nothing is kept: there is no journal, and nobody else can listen. For transcripts in other programs run
    'asrd start' and 'asrd listen'.

    \b
    Examples:
      asrd live
      asrd live -s mic:USB --backend fp16
      asrd live -s talk.flac --format srt > talk.srt
    """
    check_words(ctx)
    reader, flags = Reader(), given(ctx, list(params))
    with orderly(), tempfile.TemporaryDirectory(prefix="asrd-live-") as directory:
        screen, greeted = view(format_, reader), False
        try:
            with PrivateDaemon(Path(directory), flags) as daemon, finishing(daemon):
                for item in daemon.said():
                    reader.see(item)
                    if isinstance(item, Status) and not greeted:
                        greeted = True
                        echo(shown(f"Listening: {', '.join(item.streams)}. Ctrl-C ends."), err=True)
                    screen.show(item)
        finally:
            screen.close()

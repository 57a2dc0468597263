"""`asrd start`: run the daemon in the foreground."""

from typing import TYPE_CHECKING, Any

import click

from asrd.cli.config import ConfiguredCommand, origins
from asrd.cli.daemon_options import daemon, daemon_options
from asrd.cli.foreground import run
from asrd.cli.plain import print_table
from asrd.core.addresses import check_address
from asrd.core.units import seconds

if TYPE_CHECKING:
    from asrd.daemon.server.options import DaemonOptions


UNSET = {
    "decoder": "beam, where it is installed",
    "journal": "yours",
    "record": "nothing",
    "language": "the model's",
    "model_server_ca": "the system's",
} | dict.fromkeys(("lm", "lm_weight", "word_bonus", "blank_penalty", "unknown_penalty"), "the model's own")
"""Values shown for settings that are not set."""


@click.command(cls=ConfiguredCommand)
@daemon_options("mic")
@click.pass_context
def start(ctx: click.Context, /, check: bool, verbose: bool, log_format: str, **params: Any) -> None:
    """Listen, transcribe and publish until stopped.

    \b
    Examples:
      asrd start --source mic
      asrd start -s desk=mic:USB -s call=pcm:tcp://0.0.0.0:7000    (after 'asrd key new')
      asrd start --record ~/asrd-recording --record-limit 2GB
    """
    options = daemon(params)
    if check:
        show(ctx, options)
        return
    command: Any = ctx.command
    run(options, lambda: daemon(command.again(ctx)), verbose=verbose, log_format=log_format)


def show(ctx: click.Context, options: "DaemonOptions", *, silent: bool = False) -> None:
    """Show every setting, once it is certain that a daemon would accept them all. silent: whether it may do without
    sources.
    """
    from rich.table import Column, Table

    _check(options, silent=silent)
    table = Table("setting", Column("value", overflow="fold"), Column("from", overflow="fold"), box=None)
    segmenter = options.recognition.segmenter
    unset = UNSET | {"backend": options.recognition.backend}
    unset |= {name: f"{seconds(getattr(segmenter, name)):g}" for name in ("min_hangover", "max_hangover")}
    for name, value, origin in origins(ctx):
        shown = " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        table.add_row(name.replace("_", "-"), unset.get(name, "none") if value in (None, "", ()) else shown, origin)
    print_table(table)


def _check(options: "DaemonOptions", *, silent: bool) -> None:
    """Look for mistakes without taking an address or opening a source, which a daemon may be using."""
    from asrd.backends.registry import find
    from asrd.daemon import vad
    from asrd.daemon.recognition.decoding import make_decoding
    from asrd.daemon.recognition.hotwords import HotWords
    from asrd.daemon.recorder import place
    from asrd.daemon.sources.files import FileSource, Recording
    from asrd.daemon.sources.spec import parse_sources
    from asrd.models.store import resolve

    backend = find(options.recognition.backend)
    backend.check(options.recognition.load)
    model = resolve(options.recognition.model)
    backend.check_model(model)
    HotWords(options.words, make_decoding(options.recognition.decoding, model))
    options.recognition.segmenter.check(model.geometry)
    vad.create(options.recognition.vad)
    sources = options.sources or not silent
    for source in parse_sources(options.sources, options.pace, options.access) if sources else ():
        if isinstance(source, FileSource):
            Recording(source.path, channel=source.channel).length()
    if options.record:
        place.check(options.record.directory)
    for address in (*options.events, options.control):
        check_address(address)
        options.access.check(address)

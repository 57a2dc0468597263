"""`asrd start`: run the daemon in the foreground."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import click
import cloup

from asrd.cli.config import ConfiguredCommand, misspelt, origins
from asrd.cli.logs import log
from asrd.cli.options import (
    insecure_option,
    journal_option,
    key_option,
    own_control_option,
    record_option,
    source_options,
)
from asrd.cli.plain import print_table
from asrd.cli.recognition import recognition, recognition_options
from asrd.cli.signals import at_once
from asrd.cli.values import SPAN, Number, Seconds, Size
from asrd.core.addresses import check_address, events_address
from asrd.core.defaults import MAX_LAG
from asrd.core.key import find
from asrd.core.roster import members
from asrd.core.units import seconds
from asrd.daemon.segmentation.settings import DEFAULTS

if TYPE_CHECKING:
    from asrd.daemon.journal.options import JournalOptions
    from asrd.daemon.recorder.options import RecordingOptions
    from asrd.daemon.server.options import DaemonOptions


UNSET = {"decoder": "beam, where it is installed", "journal": "yours", "record": "nothing"} | dict.fromkeys(
    ("lm", "lm_weight", "word_bonus", "blank_penalty", "unknown_penalty"), "the model's own"
)
"""Values shown for settings that are not set."""


@click.command(cls=ConfiguredCommand)
@source_options
@cloup.option_group(
    "Results",
    cloup.option(
        "--events",
        multiple=True,
        default=lambda: [events_address(own=True)],
        show_default="a Unix socket of yours",
        help="Address to publish on, such as tcp://127.0.0.1:7007. Repeatable.",
    ),
    cloup.option(
        "--partials",
        default=seconds(DEFAULTS.partial_interval),
        type=SPAN,
        show_default=True,
        help="Seconds between partial results. 0: no partials.",
    ),
    own_control_option,
    cloup.option(
        "--metrics", metavar="HOST:PORT", help="Serve Prometheus metrics on this address, such as 127.0.0.1:9464."
    ),
)
@cloup.option_group(
    "Access",
    key_option,
    insecure_option,
)
@cloup.option_group(
    "Recording",
    record_option,
    cloup.option(
        "--record-limit", default="500MB", type=Size(), show_default=True, help="Largest total size of recordings."
    ),
    cloup.option(
        "--record-hours",
        default=24.0,
        type=Number(0),
        show_default=True,
        help="Delete recordings older than this many hours. 0: keep them.",
    ),
)
@cloup.option_group(
    "Journal",
    journal_option,
    cloup.option("--no-journal", is_flag=True, help="Keep no events on disk: those missed over a restart are lost."),
    cloup.option(
        "--journal-days",
        default=30.0,
        type=Number(0),
        show_default=True,
        help="Delete events older than this many days. 0: keep them.",
    ),
    cloup.option(
        "--journal-size", default="200MB", type=Size(), show_default=True, help="Largest size of the journal."
    ),
)
@recognition_options
@cloup.option_group(
    "When the machine is behind",
    cloup.option(
        "--max-lag",
        default=MAX_LAG,
        type=Seconds(1),
        show_default=True,
        help="Seconds by which live audio may be late; what is later is dropped, as a gap.",
    ),
    cloup.option(
        "--when-behind",
        metavar="wait|drop|BACKEND",
        default="wait",
        show_default=True,
        help="If leaving out partials does not help: be late, drop audio, or use a faster backend.",
    ),
)
@cloup.option_group(
    "Running",
    cloup.option("--check", is_flag=True, help="Show every setting and its origin, and exit."),
    cloup.option("--verbose", "-v", is_flag=True, help="Log more detail."),
    cloup.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Format of the log: lines to read, or JSON lines.",
    ),
)
@click.pass_context
def start(ctx: click.Context, /, check: bool, verbose: bool, log_format: str, **params: Any) -> None:
    """Listen, transcribe and publish until stopped.

    \b
    Examples:
      asrd start --backend int8 --source mic
      asrd start -s desk=mic:USB -s call=pcm:tcp://0.0.0.0:7000    (after 'asrd key new')
      asrd start --record ~/asrd-recording --record-limit 2GB
    """
    options = _options(params)
    if check:
        _show(ctx, options)
        return
    log(logging.DEBUG if verbose else logging.INFO, log_format)
    with at_once():
        from asrd.daemon.server.daemon import Daemon
        from asrd.daemon.transport.descriptors import ENOUGH, raise_limit

    if (files := raise_limit()) < ENOUGH:
        few = "only %d files may be open, and a flood of connections could end the daemon; try 'ulimit -Hn %d'"
        logging.getLogger("asrd").warning(few, files, ENOUGH)
    began = time.monotonic()

    def ready(daemon: Daemon) -> None:
        scheduler = daemon.engine.scheduler
        logging.getLogger("asrd").info(
            "ready in %.1f s: %s on %s (%s), streams %s, events at %s",
            time.monotonic() - began,
            daemon.engine.model.name,
            scheduler.name,
            scheduler.backend.arithmetic,
            ", ".join(one.stream for one in daemon.inputs),
            ", ".join(daemon.publisher.addresses),
        )
        for fault in misspelt():
            logging.getLogger("asrd").warning(fault)
        if daemon.journal:
            logging.getLogger("asrd").info("events are kept in %s", daemon.journal.path)
        if daemon.recorder:
            logging.getLogger("asrd").warning("all that is heard is recorded in %s", daemon.recorder.directory)
        if options.access.insecure and not options.access.key:
            logging.getLogger("asrd").warning("whoever reaches its ports may connect: it is --insecure")

    command: Any = ctx.command
    asyncio.run(Daemon(options, ready, lambda: _options(command.again(ctx))).run())


def _options(params: dict[str, Any]) -> "DaemonOptions":
    with at_once():
        from asrd.daemon.server.options import DaemonOptions
        from asrd.daemon.transport.access import Access

    key = find(params["key"])
    return DaemonOptions(
        recognition=recognition(params, params["partials"]),
        sources=tuple(params["source"]),
        pace=params["pace"],
        events=tuple(params["events"]),
        control=params["control"],
        words=params["words"],
        access=Access(key, params["insecure"], members(key)),
        metrics=params["metrics"],
        record=_recording(params) if params["record"] else None,
        journal=None if params["no_journal"] else _journal(params),
        max_lag=params["max_lag"],
        when_behind=params["when_behind"],
    )


def _recording(params: dict[str, Any]) -> "RecordingOptions":
    from asrd.daemon.recorder.options import RecordingOptions

    return RecordingOptions(params["record"], params["record_limit"], params["record_hours"])


def _journal(params: dict[str, Any]) -> "JournalOptions":
    from asrd.daemon.journal.options import JournalOptions, journal_file

    return JournalOptions(journal_file(params["journal"]), params["journal_size"], params["journal_days"])


def _show(ctx: click.Context, options: "DaemonOptions") -> None:
    """Show every setting, once it is certain that a daemon would accept them all."""
    from rich.table import Column, Table

    _check(options)
    table = Table("setting", Column("value", overflow="fold"), Column("from", overflow="fold"), box=None)
    for name, value, origin in origins(ctx):
        shown = " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        table.add_row(name.replace("_", "-"), UNSET.get(name, "none") if value is None else shown, origin)
    print_table(table)


def _check(options: "DaemonOptions") -> None:
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
    for source in parse_sources(options.sources, options.pace, options.access):
        if isinstance(source, FileSource):
            Recording(source.path, channel=source.channel).length()
    if options.record:
        place.check(options.record.directory)
    for address in (*options.events, options.control):
        check_address(address)
        options.access.check(address)

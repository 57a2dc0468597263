"""Options of a daemon, for the commands that run one in the foreground."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import cloup

from asrd.cli.options import (
    Command,
    insecure_option,
    journal_option,
    key_option,
    own_control_option,
    record_option,
    source_options,
    text_options,
    text_style,
)
from asrd.cli.recognition import recognition, recognition_options
from asrd.cli.signals import at_once
from asrd.cli.values import SPAN, Number, Seconds, Size
from asrd.core.addresses import events_address
from asrd.core.defaults import MAX_LAG
from asrd.core.key import find
from asrd.core.roster import members
from asrd.core.units import seconds
from asrd.daemon.segmentation.settings import DEFAULTS

if TYPE_CHECKING:
    from asrd.daemon.journal.options import JournalOptions
    from asrd.daemon.recorder.options import RecordingOptions
    from asrd.daemon.server.options import DaemonOptions

_RESULTS = cloup.option_group(
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

_ACCESS = cloup.option_group("Access", key_option, insecure_option)

_RECORDING = cloup.option_group(
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

_JOURNAL = cloup.option_group(
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

_BEHIND = cloup.option_group(
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

_RUNNING = cloup.option_group(
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


def daemon_options(*sources: str) -> Callable[[Command], Command]:
    """Return what adds the options of a daemon; `daemon` makes the options object from them. sources: those heard if
    none is given.
    """

    def add(command: Command) -> Command:
        inner = _RECORDING(_JOURNAL(recognition_options(_BEHIND(_RUNNING(command)))))
        return source_options(*sources)(_RESULTS(text_options(_ACCESS(inner))))

    return add


def daemon(params: dict[str, Any]) -> "DaemonOptions":
    """Make DaemonOptions from a command's parameters. Raises UsageError for what is wrong with them."""
    with at_once():
        from asrd.daemon.server.options import DaemonOptions
        from asrd.daemon.transport.access import Access

    key = find(params["key"])
    return DaemonOptions(
        recognition=replace(recognition(params, params["partials"]), style=text_style(params)),
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

"""`asrd journal`: read what a daemon keeps of its events, and delete it. The daemon may run meanwhile."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from math import inf
from pathlib import Path

import click
import cloup

from asrd.cli.config import ConfiguredCommand
from asrd.cli.listen import moment
from asrd.cli.options import journal_option
from asrd.cli.plain import plain_console
from asrd.cli.say import echo
from asrd.cli.values import Number, Size
from asrd.clients import Control
from asrd.core.errors import AsrdError, UsageError, reason
from asrd.core.events import (
    AnyEvent,
    Backend,
    Behind,
    Ended,
    Error,
    Final,
    Gap,
    Paused,
    Resumed,
    Settings,
    Started,
    Stopped,
    decode,
)
from asrd.core.units import seconds
from asrd.daemon.journal.care import prune as prune_store
from asrd.daemon.journal.options import JournalOptions, journal_file
from asrd.daemon.journal.store import Store

since_option = cloup.option("--since", metavar="TIME|SEQ", help="Only events from then on.")
stream_option = cloup.option("--stream", "streams", multiple=True, help="Only this stream. Repeatable.")
type_option = cloup.option("--type", "types", multiple=True, help="Only this type, such as final. Repeatable.")


@click.group()
def journal() -> None:
    """Read the journal: what was said, and what happened, also before the daemon was started.

    \b
    Examples:
      asrd journal show --since 10:30
      asrd journal export --type final | jq -r .text
      asrd journal prune --days 7
    """


@journal.command(cls=ConfiguredCommand)
@journal_option
@since_option
@stream_option
@type_option
def show(journal: Path | None, since: str | None, streams: tuple[str, ...], types: tuple[str, ...]) -> None:
    """Show events, one a line: number, time, stream, and what it was.

    \b
    Examples:
      asrd journal show --since 10:30
      asrd journal show --stream desk --type final
    """
    console = plain_console()
    with _open(journal) as store:
        for event in _events(store, since, streams, types):
            when = datetime.fromtimestamp(event.time).astimezone()
            line = f"{event.seq:>7}  {when:%Y-%m-%d %H:%M:%S}  {event.stream:<8}  {_line(event)}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)


@journal.command(cls=ConfiguredCommand)
@journal_option
@since_option
@stream_option
@type_option
def export(journal: Path | None, since: str | None, streams: tuple[str, ...], types: tuple[str, ...]) -> None:
    """Print events as JSON lines, as they were published.

    \b
    Example:
      asrd journal export --since 2026-01-31 --type final | jq -r .text
    """
    with _open(journal) as store:
        for payload in _payloads(store, since):
            if _wanted(decode(payload.encode()), streams, types):
                echo(payload)


@journal.command(cls=ConfiguredCommand)
@journal_option
@cloup.option("--days", type=Number(0, min_open=True), help="Delete events older than this many days.")
@cloup.option("--size", type=Size(), help="Delete the oldest events until the journal has at most this size.")
@cloup.option("--all", "everything", is_flag=True, help="Delete all events.")
def prune(journal: Path | None, days: float | None, size: int | None, everything: bool) -> None:
    """Delete old events.

    \b
    Examples:
      asrd journal prune --days 7
      asrd journal prune --size 50MB
    """
    if days is None and size is None and not everything:
        raise UsageError("say what to delete, with --days, --size or --all")
    with _open(journal) as store:
        if everything:
            count = sum(iter(lambda: store.prune(inf, 1 << 62), 0))
        else:
            count = prune_store(
                store, JournalOptions(journal_file(journal), 1 << 62 if size is None else size, days or 0)
            )
        store.checkpoint()
    echo(f"asrd: {count} events deleted", err=True)


@contextmanager
def _open(given: Path | None) -> Iterator[Store]:
    """Open a journal. Raises UsageError if there is none, AsrdError if it cannot be read."""
    path = journal_file(given)
    if given is None and not path.exists():  # a service manager may have chosen another place
        with suppress(AsrdError):
            path = Path(Control().status().journal or path)
    if not path.exists():
        raise UsageError(f"there is no journal at {path}; name the daemon's with --journal")
    try:
        with Store(path) as store:
            yield store
    except sqlite3.Error as error:
        raise AsrdError(f"the journal {path} cannot be used: {reason(error)}") from error


def _payloads(store: Store, since: str | None) -> Iterator[str]:
    begin = moment(since, datetime.now().astimezone())
    first = begin if isinstance(begin, int) else store.since(begin.timestamp()) if begin else 0
    last = store.next() - 1
    while first is not None and first <= last:
        page = store.read(first, last)
        for one, other in page.missing:
            echo(f"asrd: events {one} to {other} are lost or deleted", err=True)
        yield from page.payloads
        first = page.last + 1


def _events(store: Store, since: str | None, streams: tuple[str, ...], types: tuple[str, ...]) -> Iterator[AnyEvent]:
    found = (decode(payload.encode()) for payload in _payloads(store, since))
    return (event for event in found if _wanted(event, streams, types))


def _wanted(event: AnyEvent, streams: tuple[str, ...], types: tuple[str, ...]) -> bool:
    return (not streams or event.stream in streams) and (not types or type(event).__name__.lower() in types)


def _line(event: AnyEvent) -> str:  # noqa: PLR0911 - a table
    """Return an event in a few words."""
    match event:
        case Final():
            end = f" ({event.reason})" if event.reason == "crash" else ""
            return f"final {event.utterance}: {event.display or event.text or '-'}{end}"
        case Started():
            return f"started {event.utterance} at {seconds(event.start):.2f} s"
        case Gap():
            return f"gap {seconds(event.start):.2f}-{seconds(event.end):.2f} s: {event.reason}"
        case Backend():
            return f"backend {event.name} ({event.arithmetic}), {event.model}"
        case Paused():
            return f"paused at {seconds(event.position):.2f} s"
        case Resumed():
            return f"resumed at {seconds(event.position):.2f} s"
        case Ended():
            return f"ended after {seconds(event.position):.2f} s"
        case Settings():
            return f"settings from {seconds(event.position):.2f} s"
        case Behind():
            return f"{event.seconds:.1f} s behind ({', '.join(event.measures) or 'on time again'})"
        case Error():
            return f"error: {event.message}"
        case Stopped():
            return f"stopped: {event.reason}"
        case _:
            return type(event).__name__.lower()

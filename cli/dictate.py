"""`asrd type`: type what is said into the window that has the focus."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import cloup
from click.core import ParameterSource

from asrd.cli.config import ConfiguredCommand
from asrd.cli.listen import check_streams, tell_waiting
from asrd.cli.options import TEXT_PARAMETERS, events_option, own_style, source_options, text_options
from asrd.cli.private import PrivateDaemon, finishing, given
from asrd.cli.recognition import check_words, recognition_options
from asrd.cli.say import echo
from asrd.cli.signals import orderly
from asrd.cli.values import MAX_WAIT
from asrd.cli.views import Finals
from asrd.clients import Hole, Reader, Subscriber
from asrd.clients.dictation.choice import NAMES, choose
from asrd.clients.dictation.dictation import Change, Dictation
from asrd.clients.dictation.keyboards import Keyboard
from asrd.clients.dictation.table import Command, Table
from asrd.core.display import shown
from asrd.core.errors import UsageError
from asrd.core.events import AnyEvent, Final, Partial, Status
from asrd.core.writing.style import Style

_TYPING = cloup.option_group(
    "Typing",
    cloup.option("--with", "tool", type=click.Choice(NAMES), help="Way to type. Default: what works on this desktop."),
    cloup.option("--early", is_flag=True, help="Type words as soon as they are settled, not at the end."),
    cloup.option("--dry-run", "-n", is_flag=True, help="Print what would be typed and deleted instead."),
    cloup.option("--table", "show_table", is_flag=True, help="Show the table of phrases and where yours is, and end."),
)
_DAEMON = cloup.option_group(
    "A running daemon",
    events_option,
    cloup.option("--stream", "streams", multiple=True, help="Type only this stream. Repeatable."),
    cloup.option("--wait", default=3.0, type=MAX_WAIT, show_default=True, help="Seconds to wait for the daemon."),
)

SEVERAL, ONE = 10.0, 6.0
"""Boosts, in nats, of phrases of several words and of one, which may sound like part of another word."""

_OURS = ("tool", "early", "dry_run", "show_table", "events", "streams", "wait")
"""Parameters of this command; all others but those of text are of a daemon of its own."""


@click.command("type", cls=ConfiguredCommand)
@_TYPING
@_DAEMON
@source_options()
@text_options
@recognition_options
@click.pass_context
def type_(ctx: click.Context, /, tool: str, early: bool, dry_run: bool, show_table: bool, **params: Any) -> None:
    """Type what a running daemon hears into the window that has the focus, until Ctrl-C. With --source a daemon
    of its own listens, as in 'asrd live'; options of sources and recognition are for that one.

    Punctuation is spoken: "comma", "full stop", "new line"; "scratch that" deletes what was typed last. A table
    of yours adds to these. For push-to-talk, bind 'asrd pause --toggle' to a hot key.

    \b
    Examples:
      asrd type
      asrd type -s mic --early
      asrd type --with clipboard
      asrd type --table
    """
    table = Table()
    if show_table:
        _show(table)
        return
    reader = Reader(**own_style(ctx))
    chosen = params["streams"]
    flags = given(ctx, [name for name in params if name not in _OURS + TEXT_PARAMETERS])
    own = ctx.get_parameter_source("source") is ParameterSource.COMMANDLINE
    if chosen and own:
        raise UsageError("--stream chooses of a running daemon's streams; leave it out, or leave out -s")
    if flags and not own:
        raise UsageError(f"{flags[0]} is for a daemon of its own; name a source for it with -s, or leave it out")
    keyboard = _Printer() if dry_run else choose(tool or "")
    typist, greeted = _Typist(keyboard, Dictation(table, reader.style), early), False
    with orderly(), _private(ctx, flags, table) if own else _running(params) as heard:
        for item in heard:
            reader.see(item)
            if isinstance(item, Status):
                typist.restyle(reader.style)
                if not greeted:
                    check_streams(chosen, item)
                    greeted = True
                    names = ", ".join(chosen or item.streams)
                    echo(shown(f"Typing with {keyboard.name}: {names}. Ctrl-C ends."), err=True)
            typist.show(item)


class _Typist(Finals):
    """Types what is said; what went wrong goes to standard error."""

    def __init__(self, keyboard: Keyboard, dictation: Dictation, early: bool) -> None:
        self._keyboard, self._dictation, self._early = keyboard, dictation, early

    def show(self, item: AnyEvent | Hole) -> None:
        if self._early and isinstance(item, Partial):
            self._type(self._dictation.partial(item))
        super().show(item)

    def write(self, final: Final) -> None:
        self._type(self._dictation.final(final))

    def restyle(self, style: Style) -> None:
        self._dictation.restyle(style)

    def _type(self, change: Change) -> None:
        if change.delete:
            self._keyboard.delete(change.delete)
        if change.text:
            self._keyboard.type(change.text)


class _Printer:
    """Prints what would be typed."""

    name = "nothing"

    def type(self, text: str) -> None:
        echo(f"type {json.dumps(text, ensure_ascii=False)}")

    def delete(self, count: int) -> None:
        echo(f"delete {count}")


@contextmanager
def _private(ctx: click.Context, flags: list[str], table: Table) -> Iterator[Iterator[AnyEvent | Hole]]:
    """Run a daemon in the block that listens for the phrases too; yield its events. The first Ctrl-C makes it finish
    what was heard.
    """
    from asrd.daemon.recognition.hotwords import read_words
    from asrd.models.store import resolve

    check_words(ctx)
    phrases = table.phrases(ctx.params["language"] or resolve(ctx.params["model"]).speaks)
    words = {phrase: SEVERAL if " " in phrase else ONE for phrase in phrases} | read_words(ctx.params["words"])
    with tempfile.TemporaryDirectory(prefix="asrd-type-") as directory:
        file = Path(directory, "words.json")
        file.write_text(json.dumps(words), encoding="utf-8")
        with PrivateDaemon(Path(directory), [*flags, "--words", str(file)]) as daemon, finishing(daemon):
            yield daemon.said()


@contextmanager
def _running(params: dict[str, Any]) -> Iterator[Iterator[AnyEvent | Hole]]:
    """Yield the events of a running daemon, and of those that follow it. Ctrl-C ends the block."""
    subscriber = Subscriber(params["events"], params["streams"], waiting=tell_waiting, timeout=params["wait"])
    with subscriber, suppress(KeyboardInterrupt):
        yield iter(subscriber)


def _show(table: Table) -> None:
    """Print what each phrase types or does."""
    there = "" if table.path.is_file() else " (not there yet: make it to add phrases)"
    echo(f"Your table: {table.path}{there}")
    for language, phrase, action, own in table:
        does = f"({action.value})" if isinstance(action, Command) else json.dumps(action, ensure_ascii=False)
        what = "(no phrase)" if action is None else does
        echo(f"{language or 'any':4} {phrase:20} {what}{'  yours' if own else ''}")

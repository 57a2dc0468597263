"""`asrd status`, `asrd reload` and `asrd stop`: ask a running daemon."""

import json
import os
import time
from pathlib import Path

import click
import msgspec

from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import control_option
from asrd.cli.plain import plain_console, print_table
from asrd.cli.say import echo
from asrd.cli.values import MAX_WAIT
from asrd.clients import Control, Style
from asrd.core.addresses import is_local
from asrd.core.errors import AsrdError, TransportError
from asrd.core.units import seconds

POLL = 0.05
"""Seconds between two checks whether a process has ended; nothing reports the end of one that is not a child."""


@click.command(cls=ConfiguredCommand)
@control_option
@click.option("--json", "as_json", is_flag=True, help="Print the status event as JSON, on one line.")
def status(control: str, as_json: bool) -> None:
    """Show what the daemon is doing.

    \b
    Example:
      asrd status --json | jq .backend
    """
    state = Control(control).status()
    if as_json:
        echo(json.dumps(msgspec.to_builtins(state)))
        return
    from rich.table import Table

    console = plain_console()
    factor = state.inference_seconds / state.audio_seconds if state.audio_seconds else 0.0
    console.print(f"asrd {state.version}, process {state.pid}, up {state.uptime:.0f} s")
    console.print(f"backend  {state.backend} ({state.arithmetic}), real-time factor {factor:.3f}")
    console.print(
        f"model    {state.model}" + ("" if state.calibrated else ", confidence not calibrated"), soft_wrap=True
    )
    if state.style:
        console.print(f"text     {_described(state.style)}")
    console.print(f"decoder  {state.decoder}, language model {state.lm}, {state.hot_words} hot words")
    console.print(f"memory   {state.peak_memory / 2**20:.0f} MiB at most")
    if state.events:
        console.print(f"events   at {', '.join(state.events)}", soft_wrap=True)
    for entrance in state.entrances:
        console.print(f"open     to those who come by {entrance}", soft_wrap=True)
    if state.journal:
        console.print(f"journal  of all events, in {state.journal}", soft_wrap=True)
    if state.recording:
        console.print(f"records  all audio and events, in {state.recording}", soft_wrap=True)
    columns = ("stream", "source", "heard", "utterances", "waiting", "lost", "partials skipped", "hangover", "state")
    table = Table(*columns, box=None, padding=(0, 1, 0, 0))
    for name, stream in state.streams.items():
        table.add_row(
            name,
            stream.source,
            f"{seconds(stream.position):.1f} s",
            str(stream.utterances),
            str(stream.waiting),
            f"{seconds(stream.lost):.1f} s",
            str(stream.skipped),
            f"{seconds(stream.hangover):.2f} s",
            ("paused" if stream.paused else "open") if stream.open else "ended",
        )
    print_table(table)


def _described(style: Style) -> str:
    """Return a style in a few words."""
    language = f", language {style.language}" if style.language else ""
    if style.raw:
        return f"as the model writes it{language}"
    return f"in sentences, numbers in {'digits' if style.numbers else 'words'}{language}"


@click.command(cls=ConfiguredCommand)
@control_option
def reload(control: str) -> None:
    """Have the daemon read settings, hot words and the list of clients again, while audio goes on.

    Clients that were revoked are disconnected. Settings that cannot change while it runs are named.

    \b
    Example:
      asrd key revoke desk && asrd reload
    """
    echo(Control(control).reload())


@click.command(cls=ConfiguredCommand)
@control_option
@click.option("--wait", default=10.0, type=MAX_WAIT, show_default=True, help="Seconds to wait for the daemon to exit.")
def stop(control: str, wait: float) -> None:
    """Stop the daemon. Open utterances are finished first.

    \b
    Example:
      asrd stop
    """
    client = Control(control)
    pid = client.status().pid
    client.stop()
    deadline = time.monotonic() + wait
    while _remains(pid, control):
        if time.monotonic() > deadline:
            raise AsrdError(f"the daemon (process {pid}) is still there after {wait:g} s; end it with: kill {pid}")
        time.sleep(POLL)


def _remains(pid: int, address: str) -> bool:
    """Return whether the daemon is still there: its process or, if that cannot be checked, its answer.

    A daemon closes its control socket before it has ended, so silence alone does not mean that its microphones and
    ports are free. A process number of another machine means nothing on this one.
    """
    if is_local(address):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # another user's
            pass
        else:
            return not _defunct(pid)
    try:
        Control(address, timeout=0.5).status()
    except TransportError:
        return False
    return True


def _defunct(pid: int) -> bool:
    """Return whether the process has ended and only its parent has not yet taken note. Only Linux tells."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return False

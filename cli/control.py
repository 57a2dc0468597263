"""`asrd status` and `asrd stop`: ask a running daemon."""

import json
import time

import click
import msgspec

from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import control_option
from asrd.clients import Control
from asrd.core.errors import AsrdError, TransportError
from asrd.core.units import seconds


@click.command(cls=ConfiguredCommand)
@control_option
@click.option("--json", "as_json", is_flag=True, help="The fields of a status event, on one line.")
def status(control: str, as_json: bool) -> None:
    """Show what the daemon is doing.

    \b
    Example: asrd status --json | jq .backend
    """
    state = Control(control).status()
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(state)))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    factor = state.inference_seconds / state.audio_seconds if state.audio_seconds else 0.0
    console.print(f"asrd {state.version}, process {state.pid}, up {state.uptime:.0f} s")
    console.print(f"backend  {state.backend} ({state.arithmetic}), real-time factor {factor:.3f}")
    console.print(f"model    {state.model}")
    console.print(f"memory   {state.peak_memory / 2**20:.0f} MiB at most")
    table = Table("stream", "source", "heard", "utterances", "waiting", "lost", "partials skipped", "state", box=None)
    for name, stream in state.streams.items():
        table.add_row(
            name,
            stream.source,
            f"{seconds(stream.position):.1f} s",
            str(stream.utterances),
            str(stream.waiting),
            f"{seconds(stream.lost):.1f} s",
            str(stream.skipped),
            "open" if stream.open else "ended",
        )
    console.print(table)


@click.command(cls=ConfiguredCommand)
@control_option
@click.option("--wait", default=10.0, show_default=True, help="Seconds to wait until it has gone.")
def stop(control: str, wait: float) -> None:
    """Finish open utterances and end the daemon.

    \b
    Example: asrd stop
    """
    client = Control(control, timeout=0.5)
    pid = Control(control).status().pid
    client.stop()
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        try:
            client.status()
        except TransportError:
            return
    raise AsrdError(f"the daemon (process {pid}) is still there after {wait:.0f} s; end it with: kill {pid}")

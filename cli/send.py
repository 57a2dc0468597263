"""`asrd send`: play a file, a microphone or raw PCM into a daemon, here or on another machine."""

import asyncio
import logging
import signal
import sys
from math import inf

import click

from asrd.cli.backlog import Backlog
from asrd.cli.logs import log
from asrd.clients.sender import MAX_WAIT, Sender
from asrd.core.display import shown
from asrd.core.errors import TransportError, UsageError
from asrd.core.units import seconds
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.entrance import Entrance
from asrd.daemon.sources.files import Pace
from asrd.daemon.sources.spec import parse_source

ENDING = (signal.SIGINT, signal.SIGTERM)


@click.command()
@click.argument("source", metavar="[FILE|mic|-]", default="mic")
@click.option("--to", "address", metavar="ADDRESS", required=True, help="Address after pcm: in the daemon's --source.")
@click.option(
    "--pace",
    type=click.Choice(["realtime", "fast"]),
    default="realtime",
    show_default=True,
    help="Playback speed of files.",
)
@click.option("--once", is_flag=True, help="Fail when the daemon goes away, instead of waiting for the next one.")
def send(source: str, address: str, pace: Pace, once: bool) -> None:
    """Send audio to a daemon started with --source pcm:ADDRESS. While the daemon is away, audio waits: up to ten
    minutes of a microphone. What it may not have heard is sent again.

    The source is a file, mic, mic:NAME, or - for raw PCM on standard input: 16 kHz, mono, 16 bits unless given, as in
    'pcm:-?rate=48000&channels=2&format=f32le' (or s24le, s32le).

    \b
    Examples:
      asrd start --source pcm:tcp://127.0.0.1:7000
      asrd send mic --to tcp://127.0.0.1:7000
    """
    spec = source
    if source == "-":
        spec = "pcm:-"
    elif source.partition(":")[0] not in ("mic", "file", "pcm"):
        spec = f"file:{source}"
    log(logging.WARNING)
    parsed = parse_source(spec, pace)
    if isinstance(parsed, Entrance):
        raise UsageError(f"'{spec}' is many sources; asrd send sends one")
    asyncio.run(_send(parsed, address, once=once))


async def _send(source: Source, address: str, *, once: bool) -> None:
    """Send until the source ends or the user interrupts; either way the last audio still leaves, which takes long if
    the daemon hangs. Interrupted again, it ends at once.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in ENDING:
        loop.add_signal_handler(number, stop.set)
    await source.open()
    lost = 0
    behind = 2.0 if source.live else MAX_WAIT
    most, away = (behind, None) if once else (inf, inf)
    sender = Sender(address, max_wait=most, away=away, waiting=_wait, waits=not source.live)
    closing = asyncio.create_task(_close(source, sender, stop))
    try:
        with sender:
            async for chunk in source.chunks() if once or not source.live else Backlog(source).chunks():
                lost += chunk.lost
                sender.skip(chunk.lost)
                await asyncio.to_thread(sender.send, chunk.pcm, chunk.captured)
                _progress(sender.position, chunk.reason)
    finally:
        stop.set()
        await closing
    _say(f"sent {seconds(sender.position - lost):.1f} s to {address}, lost {seconds(lost):.1f} s")


async def _close(source: Source, sender: Sender, stop: asyncio.Event) -> None:
    await stop.wait()
    sender.away, sender.max_wait = sender.timeout, min(sender.max_wait, MAX_WAIT)
    for number in ENDING:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)  # Python's own would wait for the thread that sends
    await source.close()


def _wait(error: TransportError) -> None:
    _say(f"asrd: {error}; waiting for it")


def _progress(position: int, reason: str) -> None:
    """Print what was lost or fell silent; in a terminal also the position, on a line that is overwritten."""
    if reason:
        _say(f"{seconds(position):.1f} s: {reason}")
    if sys.stderr.isatty():
        click.echo(f"\r{seconds(position):.1f} s", err=True, nl=False)


def _say(text: str) -> None:
    begin = "\r" if sys.stderr.isatty() else ""
    click.echo(f"{begin}{shown(text)}", err=True)

"""`asrd send`: play a file, a microphone or raw PCM into a daemon, here or on another machine."""

import asyncio
import logging
import signal
import sys

import click

from asrd.cli.logs import log
from asrd.clients.sender import MAX_WAIT, Sender
from asrd.core.units import seconds
from asrd.daemon.sources.base import Source
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
def send(source: str, address: str, pace: Pace) -> None:
    """Send audio to a daemon started with --source pcm:ADDRESS.

    The source is a file, mic, mic:NAME, or - for raw PCM on standard input: 16 kHz, mono, 16 bits unless given, as in
    'pcm:-?rate=48000&channels=2&format=f32le'.

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
    asyncio.run(_send(parse_source(spec, pace), address))


async def _send(source: Source, address: str) -> None:
    """Send until the source ends or the user interrupts; either way the last audio still leaves, which takes long if
    the daemon hangs. Interrupted again, it ends at once.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in ENDING:
        loop.add_signal_handler(number, stop.set)
    await source.open()
    closing = asyncio.create_task(_close(source, stop))
    lost = 0
    try:
        with Sender(address, max_wait=2.0 if source.live else MAX_WAIT) as sender:
            async for chunk in source.chunks():
                lost += chunk.lost
                sender.skip(chunk.lost)
                await asyncio.to_thread(sender.send, chunk.pcm, chunk.captured)
                _progress(sender.position, chunk.reason)
    finally:
        stop.set()
        await closing
    _say(f"sent {seconds(sender.position - lost):.1f} s to {address}, lost {seconds(lost):.1f} s")


async def _close(source: Source, stop: asyncio.Event) -> None:
    await stop.wait()
    for number in ENDING:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)  # Python's own would wait for the thread that sends
    await source.close()


def _progress(position: int, reason: str) -> None:
    """Print what was lost or fell silent; in a terminal also the position, on a line that is overwritten."""
    if reason:
        _say(f"{seconds(position):.1f} s: {reason}")
    if sys.stderr.isatty():
        click.echo(f"\r{seconds(position):.1f} s", err=True, nl=False)


def _say(text: str) -> None:
    click.echo(f"\r{text}" if sys.stderr.isatty() else text, err=True)

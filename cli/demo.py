"""`asrd demo`: transcribe bundled speech live."""

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from asrd.cli.plain import Console
from asrd.cli.private import PrivateDaemon, given
from asrd.cli.recognition import backend_option, chosen_backend, decoding_options, model_option
from asrd.cli.say import echo
from asrd.cli.signals import orderly
from asrd.cli.views import Live
from asrd.clients import Control
from asrd.clients.sender import Sender
from asrd.core.errors import AsrdError
from asrd.core.events import Final, Status
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, samples, seconds

PAUSE = samples(1.0)
"""Silence between sentences and after the last: longer than the hangover, so that each is an utterance."""

BLOCK = samples(0.05)


@click.command()
@backend_option
@model_option
@decoding_options
@click.pass_context
def demo(ctx: click.Context, /, **params: Any) -> None:
    """Start a daemon, play real speech into it in real time, and show what comes out.

    \b
    Example:
      asrd demo --backend int8
    """
    from asrd.models.speech import bundled

    sentences = [utterance for utterance in bundled() if utterance.kind == "real"]
    with orderly(), tempfile.TemporaryDirectory(prefix="asrd-demo-") as directory:
        flags = ["--backend", chosen_backend(params), "--model", params["model"]]
        flags += given(ctx, [name for name in params if name not in ("backend", "model")])
        echo(f"Starting: asrd start {' '.join(flags)} --source demo=pcm:…", err=True)
        address = f"ipc://{directory}/audio"
        with PrivateDaemon(Path(directory), [*flags, "--source", f"demo=pcm:{address}"]) as daemon:
            audio = _recording([sentence.audio for sentence in sentences])
            finals, status = _listen(daemon, address, audio)
    _summary(finals, status, seconds(len(audio)), " ".join(sentence.text for sentence in sentences))


def _recording(paths: list[Path]) -> FloatArray:
    """Join the sentences, with pauses between them."""
    from asrd.daemon.sources.files import read_blocks

    pause = np.zeros(PAUSE, np.float32)
    return np.concatenate([part for path in paths for part in (*read_blocks(path), pause)])


def _play(address: str, audio: FloatArray, done: threading.Event) -> None:
    """Send the recording block by block, each when its last sample would have been spoken."""
    try:
        with Sender(address) as sender:
            began = time.monotonic()
            for start in range(0, len(audio), BLOCK):
                block = audio[start : start + BLOCK]
                time.sleep(max(0.0, began + (start + len(block)) / SAMPLE_RATE - time.monotonic()))
                sender.send(block)
    finally:
        done.set()


def _listen(daemon: PrivateDaemon, address: str, audio: FloatArray) -> tuple[list[Final], Status]:
    """Show events until all that was played has been recognised; then stop the daemon."""
    control, done = Control(daemon.control), threading.Event()
    player = threading.Thread(target=_play, args=(address, audio, done), daemon=True)
    view, finals, status = Live(), [], None
    try:
        for item in daemon.said():
            if not player.is_alive() and not done.is_set():
                length = f"{seconds(len(audio)):.0f} s"
                echo(f"Playing {length} of a LibriVox recording into it, in real time …\n", err=True)
                player.start()
            view.show(item)
            if isinstance(item, Final):
                finals.append(item)
            if done.is_set() and status is None:  # looked at with each event; a heartbeat comes every second
                state = control.status()
                heard = state.streams["demo"]
                if heard.waiting == 0 and heard.position > len(audio) - BLOCK:
                    status = state
                    control.stop()
    finally:
        view.close()
    if status is None:
        raise AsrdError("the daemon ended before the recording did; run it with 'asrd start' to see why")
    return finals, status


def _summary(finals: list[Final], status: Status, duration: float, reference: str) -> None:
    import jiwer
    from rich.table import Table

    heard = " ".join(final.text for final in finals if final.text)
    waits = np.array([final.time - final.stages.heard for final in finals]) * 1000
    work = np.array([final.time - final.stages.cut for final in finals]) * 1000
    table = Table("", "", show_header=False, box=None, padding=(0, 2))
    rows = {
        "words": f"{len(heard.split())} heard, {len(reference.split())} spoken, in {len(finals)} utterances",
        "word error rate": f"{jiwer.wer(reference.lower(), heard.lower()):.1%}",
        "character error rate": f"{jiwer.cer(reference.lower(), heard.lower()):.1%}",
        "end of speech → final": _percentiles(waits) + "  (the silence that ends an utterance included)",
        "end decided → final": _percentiles(work),
        "real-time factor": f"{status.inference_seconds / duration:.3f}  (partials included)",
        "peak memory": f"{status.peak_memory / 2**20:.0f} MiB",
        "backend": f"{status.backend} ({status.arithmetic})",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console = Console(highlight=False)
    console.print()
    console.print(table)


def _percentiles(milliseconds: "np.typing.NDArray[np.float64]") -> str:
    p50, p95 = np.percentile(milliseconds, [50, 95]) if len(milliseconds) else (0.0, 0.0)
    return f"{p50:.0f} ms p50, {p95:.0f} ms p95"

"""`asrd demo`: transcribe bundled speech live."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.core import ParameterSource

from asrd.cli.plain import Console
from asrd.cli.recognition import backend_option, decoding_options, model_option
from asrd.cli.say import echo
from asrd.cli.signals import orderly
from asrd.cli.views import Live
from asrd.clients import Control, Hole, Subscriber
from asrd.clients.sender import Sender
from asrd.core.errors import AsrdError, UsageError
from asrd.core.events import AnyEvent, Final, Status
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, samples, seconds

PAUSE = samples(1.0)
"""Silence between sentences and after the last: longer than the hangover, so that each is an utterance."""

BLOCK = samples(0.05)
START = 60.0
"""Seconds that a daemon may take until it answers, including the first compilation of a model."""


@click.command()
@backend_option
@model_option
@decoding_options
@click.pass_context
def demo(ctx: click.Context, /, backend: str, model: str, **decoding: Any) -> None:
    """Start a daemon, play real speech into it in real time, and show what comes out.

    \b
    Example:
      asrd demo --backend int8
    """
    from asrd.models.speech import bundled

    sentences = [utterance for utterance in bundled() if utterance.kind == "real"]
    with orderly(), tempfile.TemporaryDirectory(prefix="asrd-demo-") as directory:
        given = [name for name in decoding if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        flags = [part for name in given for part in (f"--{name.replace('_', '-')}", str(decoding[name]))]
        run = _Run(Path(directory), ["--backend", backend, "--model", model, *flags])
        echo(f"Starting: {' '.join(run.shown)}", err=True)
        with run:
            audio = _recording([sentence.audio for sentence in sentences])
            finals, status = _listen(run, audio)
    _summary(finals, status, seconds(len(audio)), " ".join(sentence.text for sentence in sentences))


@dataclass
class _Run:
    """The demo's own daemon, on sockets in its own directory."""

    directory: Path
    flags: list[str]
    command: list[str] = field(init=False)
    process: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        self.audio, self.events, self.control = (
            f"ipc://{self.directory / name}" for name in ("audio", "events", "control")
        )
        self.shown = ["asrd", "start", *self.flags, "--source", "demo=pcm:…"]
        self.command = [sys.executable, "-m", "asrd.cli.main", *self.shown[1:-1], f"demo=pcm:{self.audio}"]
        self.command += ["--events", self.events, "--control", self.control, "--no-journal"]

    def __enter__(self) -> "_Run":
        self.process = subprocess.Popen(self.command, stderr=(self.directory / "log").open("wb"))
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def events_of(self) -> Iterator[AnyEvent | Hole]:
        """Yield its events. Raises AsrdError with the last line of its log if it ends before the first."""
        deadline = time.monotonic() + START
        while True:
            try:
                with Subscriber(self.events, once=True, timeout=0.5) as subscriber:
                    yield from subscriber
                    return
            except AsrdError:
                if self.process.poll() is not None:
                    words = (self.directory / "log").read_text(encoding="utf-8").strip().splitlines()
                    failure = UsageError if self.process.returncode == UsageError.exit_code else AsrdError
                    raise failure(words[-1].removeprefix("asrd: ") if words else "the daemon ended") from None
                if time.monotonic() > deadline:
                    raise


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


def _listen(run: _Run, audio: FloatArray) -> tuple[list[Final], Status]:
    """Show events until all that was played has been recognised; then stop the daemon."""
    control, done = Control(run.control), threading.Event()
    player = threading.Thread(target=_play, args=(run.audio, audio, done), daemon=True)
    view, finals, status = Live(), [], None
    try:
        for item in run.events_of():
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

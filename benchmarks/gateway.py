"""Measure what the gateway costs, and whether it loses anything.

    pip install '.[lm,serve]'
    python benchmarks/gateway.py cost                     # WebSockets against ZeroMQ: processor time of the daemon
    python benchmarks/gateway.py load --sessions 50       # many live sessions at once: is every text whole?

`cost` has one daemon hear the same speech in turns, over ZeroMQ and over OpenAI's Realtime WebSocket, so that whatever
else the machine does meanwhile is the same for both. Nothing waits for partials, so both do the same work. `load` plays
speech in real time into many sessions, over and over, and compares every text with that of the first.
"""

import asyncio
import base64
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import click
import numpy as np
import psutil
import websockets

from asrd.clients import Subscriber
from asrd.clients.sender import Sender
from asrd.core.events import Ended
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

PIECE = SAMPLE_RATE // 10
COMPLETED = "conversation.item.input_audio_transcription.completed"
MANUAL = {
    "type": "session.update",
    "session": {
        "type": "transcription",
        "audio": {"input": {"format": {"type": "audio/pcm", "rate": SAMPLE_RATE}, "turn_detection": None}},
    },
}


@dataclass
class Running:
    """A running daemon: where it is, and its process."""

    folder: Path
    url: str
    process: psutil.Process

    @property
    def seconds(self) -> float:
        """Processor time that it has taken so far."""
        times = self.process.cpu_times()
        return times.user + times.system


@contextmanager
def running(model: str, *flags: str) -> Iterator[Running]:
    """Run a daemon until the block ends."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "asrd.cli.main", "serve", "--http", "127.0.0.1:0", "--model", model]
        command += ["--events", f"ipc://{folder}/events", "--control", f"ipc://{folder}/control", "--no-journal"]
        command += ["--source", f"net=pcm:ipc://{folder}/audio?streams=each", *flags]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
            assert process.stderr
            line = next(line for line in process.stderr if "serving at" in line)
            try:
                yield Running(folder, line.split()[-1].replace("http", "ws"), psutil.Process(process.pid))
            finally:
                process.terminate()


def speech(least: float) -> FloatArray:
    """Return real sentences with pauses, at least so many seconds."""
    pause, found = np.zeros(SAMPLE_RATE, np.float32), []
    while sum(map(len, found)) < least * SAMPLE_RATE:
        for utterance in bundled("real"):
            found += [*read_blocks(utterance.audio), pause]
    return np.concatenate(found)


def over_zeromq(daemon: Running, pcm: FloatArray) -> None:
    """Send all of it, and wait until it is heard."""
    with Subscriber(f"ipc://{daemon.folder}/events") as events:
        heard = iter(events)
        next(heard)
        with Sender(f"ipc://{daemon.folder}/audio", waits=True) as sender:
            for first in range(0, len(pcm), PIECE):
                sender.send(pcm[first : first + PIECE])
        next(event for event in heard if isinstance(event, Ended))


async def over_websocket(daemon: Running, pcm: FloatArray, *, pace: bool = False) -> str:
    """Send all of it, and return its text. pace: whether in real time."""
    data = (pcm * 32767).astype("<i2")
    async with websockets.connect(f"{daemon.url}/v1/realtime", compression=None) as connection:
        await connection.send(json.dumps(MANUAL))
        began = time.monotonic()
        for first in range(0, len(data), PIECE):
            audio = base64.b64encode(data[first : first + PIECE].tobytes()).decode()
            await connection.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
            if pace:
                await asyncio.sleep(max(0.0, began + (first + PIECE) / SAMPLE_RATE - time.monotonic()))
        await connection.send(json.dumps({"type": "input_audio_buffer.commit"}))
        async for message in connection:
            event = json.loads(message)
            if event["type"] == COMPLETED:
                return str(event["transcript"])
            assert event["type"] != "error", event
    raise AssertionError("the connection ended before the text came")


@dataclass
class Arm:
    """One way to send. spent: processor seconds of each round."""

    spent: list[float] = field(default_factory=list)

    def add(self, before: float, after: float) -> None:
        """Note a round."""
        self.spent.append(after - before)


@click.group()
def main() -> None:
    """Measure the gateway."""


@main.command()
@click.option("--model", default="asrd-tiny-en", show_default=True)
@click.option("--seconds", default=60, show_default=True, help="Of speech in each round.")
@click.option("--rounds", default=7, show_default=True)
def cost(model: str, seconds: int, rounds: int) -> None:
    """Compare the daemon's processor time for WebSockets with that for ZeroMQ."""
    pcm, zeromq, websocket = speech(seconds), Arm(), Arm()
    with running(model, "--partials", "0") as daemon:
        for _ in range(rounds + 1):
            before = daemon.seconds
            over_zeromq(daemon, pcm)
            between = daemon.seconds
            asyncio.run(over_websocket(daemon, pcm))
            zeromq.add(before, between)
            websocket.add(between, daemon.seconds)
    ratios = [one / other for one, other in zip(websocket.spent[1:], zeromq.spent[1:], strict=True)]  # warm
    length = len(pcm) / SAMPLE_RATE
    click.echo(f"{length:.0f} s of speech with {model}, {rounds} rounds in turns")
    click.echo(f"ZeroMQ     {median(zeromq.spent[1:]):.2f} s of processor time")
    click.echo(f"WebSocket  {median(websocket.spent[1:]):.2f} s")
    click.echo(f"ratio      {median(ratios):.3f}, from {min(ratios):.3f} to {max(ratios):.3f}")


@main.command()
@click.option("--model", default="asrd-tiny-en", show_default=True)
@click.option("--sessions", default=50, show_default=True)
@click.option("--seconds", default=600, show_default=True)
def load(model: str, sessions: int, seconds: int) -> None:
    """Play speech in real time into many sessions, and compare their texts."""
    pcm = speech(30)

    async def play(daemon: Running, wanted: str, number: int) -> list[bool]:
        await asyncio.sleep(number * len(pcm) / SAMPLE_RATE / sessions)  # not all in step
        found, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            found.append(await over_websocket(daemon, pcm, pace=True) == wanted)
        return found

    async def run(daemon: Running) -> list[bool]:
        wanted = await over_websocket(daemon, pcm)
        found = await asyncio.gather(*(play(daemon, wanted, number) for number in range(sessions)))
        return [one for each in found for one in each]

    with running(model, "--partials", "0") as daemon:
        began, before = time.monotonic(), daemon.seconds
        whole = asyncio.run(run(daemon))
        took, spent = time.monotonic() - began, daemon.seconds - before
        memory = daemon.process.memory_info().rss / 2**20
    click.echo(f"{sessions} sessions for {took:.0f} s: {sum(whole)} of {len(whole)} texts are whole")
    click.echo(f"{spent / took:.2f} processors, {memory:.0f} MiB")


if __name__ == "__main__":
    main()

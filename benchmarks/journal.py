"""Measure what the journal costs: processor time of the daemon, and how long finals take to a client.

    pip install '.[lm]'
    python benchmarks/journal.py --page docs/reliability.md

Two daemons run side by side, one with a journal and one without. They hear the same speech in turns, so that whatever
else the machine does meanwhile is the same for both. The latency is from the decision that an utterance has ended to
the client that gets its final. Beside it, the processor time that the journal itself takes for one event.
"""

import asyncio
import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import psutil
import zmq.asyncio
from page import put, table

from asrd.clients import Control, Subscriber
from asrd.clients.sender import Sender
from asrd.core.events import Event, Final, Partial, Started, Status, Stopped, Timestamps, WireWord
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.journal.journal import Journal
from asrd.daemon.journal.options import JournalOptions
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

PAUSE = np.zeros(SAMPLE_RATE, np.float32)
BLOCK = SAMPLE_RATE // 10
ARMS = {"with": ("--journal", "{folder}"), "without": ("--no-journal",)}


@dataclass
class Arm:
    """A running daemon, and what was measured of it. seconds: processor time of each round. delays: of finals, in
    seconds.
    """

    folder: Path
    flags: tuple[str, ...]
    seconds: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    events: int = 0

    def start(self) -> None:
        """Run the daemon, and hear it in a thread."""
        self.folder.mkdir()
        sockets = ("--events", self._address("events"), "--control", self._address("control"))
        source = ("--source", f"a=pcm:{self._address('audio')}")
        flags = [flag.format(folder=self.folder) for flag in self.flags]
        command = [sys.executable, "-m", "asrd.cli.main", "start", *source, *sockets, *flags]
        self._process = psutil.Popen(command, stderr=(self.folder / "log").open("wb"))
        self._control = Control(self._address("control"), timeout=60)
        ready = threading.Event()
        self._hearing = threading.Thread(target=self._hear, args=(ready,))
        self._hearing.start()
        ready.wait(60)

    def _address(self, name: str) -> str:
        return f"ipc://{self.folder / name}"

    def _hear(self, ready: threading.Event) -> None:
        with Subscriber(self._address("events"), once=True, timeout=60, max_wait=60) as subscriber:
            for item in subscriber:
                if isinstance(item, Final):
                    self.delays.append(time.time() - item.stages.cut)
                if isinstance(item, (Started, Partial, Final)):
                    self.events += 1
                if isinstance(item, Status):
                    ready.set()

    def play(self, audio: FloatArray, speed: float) -> None:
        """Send the recording, wait until all of it was heard, and keep the processor time that it took."""
        before, position = self._used(), self._control.status().streams["a"].position
        with Sender(self._address("audio")) as sender:
            began = time.monotonic()
            for first in range(0, len(audio), BLOCK):
                sender.send(audio[first : first + BLOCK])
                time.sleep(max(0.0, began + first / SAMPLE_RATE / speed - time.monotonic()))
        while self._control.status().streams["a"].position < position + len(audio):
            time.sleep(0.05)
        time.sleep(0.5)
        self.seconds.append(self._used() - before)

    def _used(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        """End the daemon."""
        self._control.stop()
        self._hearing.join()
        self._process.wait()


async def _publish(folder: Path, events: list[Event], *, journal: bool) -> tuple[float, list[float]]:
    """Return the processor time of publishing these events, and how long each of them took, in seconds."""
    context = zmq.asyncio.Context()
    publisher = Publisher(context, [f"ipc://{folder}/e"])
    kept = await Journal.start(JournalOptions(folder / "events.sqlite")) if journal else None
    if kept:
        publisher.begin(kept)
    began = time.process_time()
    took = []
    for event in events:
        handed_over = time.perf_counter()
        await publisher.publish(event, "a")
        took.append(time.perf_counter() - handed_over)
    used = time.process_time() - began
    if kept:
        kept.close(10.0)
    publisher.close()
    context.destroy()
    return used, took


def cost_of_an_event(folder: Path, utterances: int = 500, repeats: int = 5) -> tuple[float, list[float]]:
    """Return the processor seconds that the journal adds to one event of ordinary speech, median over `repeats`, and
    how long events wait for it, in seconds.
    """
    words = tuple(WireWord("something", n, n + 1, 0.5) for n in range(12))
    stages = Timestamps(heard=0.0, cut=0.0, started=0.0, recognized=0.0)
    said: dict[str, Any] = {"start": 0, "end": 1, "text": "something " * 12, "words": words, "backend": "int8"}
    events: list[Event] = []
    for number in range(utterances):
        events.append(Started(utterance=number, start=0))
        events += [Partial(utterance=number, stable=0, stages=stages, **said)] * 6
        final = {"speech_end": 0, "confidence": 0.5, "reason": "silence", "stages": stages}
        events.append(Final(utterance=number, **said, **final))
    added, waits = [], list[float]()
    for number in range(repeats):
        used = []
        for journal in (False, True):
            (place := folder / f"{number}{journal}").mkdir()
            seconds, took = asyncio.run(_publish(place, [*events, Stopped(reason="")], journal=journal))
            used.append(seconds)
        added.append((used[1] - used[0]) / len(events))
        waits += took
    return float(np.median(added)), waits


@click.command()
@click.option("--rounds", default=8, show_default=True, help="Times that each daemon hears the speech.")
@click.option("--speed", default=4.0, show_default=True, help="Times as fast as it was spoken.")
@click.option("--json", "record", type=click.Path(path_type=Path), help="Keep the figures here.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page.")
def main(rounds: int, speed: float, record: Path | None, page: Path | None) -> None:
    """Measure a daemon with a journal against one without."""
    speech = np.concatenate([part for clip in bundled("real") for part in (*read_blocks(clip.audio), PAUSE)])
    with tempfile.TemporaryDirectory() as name:
        each, waits = cost_of_an_event(Path(name))
        arms = {arm: Arm(Path(name) / arm, flags) for arm, flags in ARMS.items()}
        for arm in arms.values():
            arm.start()
            arm.play(speech, speed)  # fills caches
            arm.seconds, arm.delays, arm.events = [], [], 0
        for number in range(rounds):
            order = list(arms.values())
            for arm in order if number % 2 else reversed(order):
                arm.play(speech, speed)
        for arm in arms.values():
            arm.stop()
    spoken = len(speech) / SAMPLE_RATE
    rows = []
    for label, arm in arms.items():
        p50, p95 = 1000 * np.percentile(arm.delays, [50, 95])
        share = f"{np.median(arm.seconds) / spoken:.2%}"
        rows.append([label, f"{len(arm.delays)}", share, f"{p50:.1f} ms", f"{p95:.1f} ms"])
    ratios = np.array(arms["with"].seconds) / np.array(arms["without"].seconds)
    rate = arms["with"].events / (rounds * spoken)
    figures = {
        "ratio": float(np.median(ratios)),
        "ratios": ratios.tolist(),
        "event_us": 1e6 * each,
        "waits_ms": (1000 * np.percentile(waits, [50, 95, 99])).tolist(),
        "events_per_second": rate,
        "share": each * rate / (np.median(arms["without"].seconds) / spoken),
        "delays": {label: arm.delays for label, arm in arms.items()},
    }
    titles = ["journal", "finals", "processor time, of that of the speech", "final, median", "final, p95"]
    click.echo(table(titles, rows))
    click.echo(
        f"processor time with / without: median {figures['ratio']:.3f}, {min(ratios):.3f}-{max(ratios):.3f}\n"
        f"the journal itself: {1e6 * each:.0f} µs an event, {rate:.1f} events a second of speech: "
        f"{figures['share']:.2%} of the daemon's processor time\n"
        "an event is sent {:.2f} ms after it was made, p95 {:.2f} ms, p99 {:.2f} ms".format(*figures["waits_ms"])
    )
    if record:
        record.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if page:
        put(page, "journal", table(titles, rows))


if __name__ == "__main__":
    main()

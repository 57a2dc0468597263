"""Measure whether a daemon's memory grows as its tasks are repeated.

    pip install '.[lm]'
    python benchmarks/memory.py --page docs/memory.md

A daemon, in a process of its own, does one task after another, each many times. Its resident memory is read from the
kernel after each quarter.
"""

import itertools
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from page import put, table

from asrd.clients import Control, Subscriber
from asrd.clients.sender import Sender
from asrd.core.control import AddWords, RemoveWords
from asrd.core.events import Final, Status
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, Samples, samples
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

PAUSE = np.zeros(SAMPLE_RATE, np.float32)
QUARTERS = 4


class Subject:
    """A running daemon, and the tasks it can be given."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, speech: FloatArray) -> None:
        """speech: `(samples,)`. Raises TransportError where the daemon does not start within a minute."""
        self._pid, self._folder, self._speech = process.pid, folder, speech
        self._events = Subscriber(address(folder, "events"), once=True, timeout=60, max_wait=60)
        self._heard = iter(self._events)
        self._await(lambda event: isinstance(event, Status))
        self._control = Control(address(folder, "control"), timeout=60)
        self._turns = itertools.count()
        self._position = Samples(0)

    @property
    def resident(self) -> float:
        """Resident memory in MiB, including what is shared with other processes, such as libraries."""
        pages = int(Path(f"/proc/{self._pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * resource.getpagesize() / 2**20

    def sentence(self) -> None:
        """Connect a sender, say 5 s, and disconnect."""
        self._say(self._speech[: 5 * SAMPLE_RATE])

    def minute(self) -> None:
        """Connect a sender, say a minute, and disconnect."""
        self._say(np.resize(self._speech, 60 * SAMPLE_RATE))

    def switch(self) -> None:
        """Switch to the other backend."""
        self._control.use_backend("fp16" if next(self._turns) % 2 else "int8")

    def set(self) -> None:
        """Change the hangover."""
        self._control.set({"hangover": samples(0.4 + 0.01 * (next(self._turns) % 20))})

    def words(self) -> None:
        """Add twenty new hot words, say something, and remove them."""
        turn = next(self._turns)
        letters = "".join(chr(ord("a") + turn // 26**place % 26) for place in range(3))
        words = {f"{letters}{chr(ord('a') + number)}": 5.0 for number in range(20)}
        self._control.words(AddWords(words))
        self.sentence()
        self._control.words(RemoveWords(list(words)))

    def visit(self) -> None:
        """Connect a client, receive the first event, ask for the status, and disconnect."""
        with Subscriber(address(self._folder, "events"), once=True) as events:
            next(iter(events))
        self._control.status()

    def _say(self, pcm: FloatArray) -> None:
        """Say it, and wait for a final that ends in its second half."""
        with Sender(address(self._folder, "audio")) as sender:
            sender.send(np.concatenate([pcm, PAUSE]))
        half = self._position + len(pcm) // 2
        self._position = Samples(self._position + len(pcm) + len(PAUSE))
        self._await(lambda event: isinstance(event, Final) and event.end > half)

    def _await(self, condition: Callable[[Any], bool]) -> None:
        next(event for event in self._heard if condition(event))

    def close(self) -> None:
        """Stop the daemon."""
        self._control.stop()
        self._events.close()


TASKS: dict[str, tuple[int, Callable[[Subject], None]]] = {
    "a minute of speech": (60, Subject.minute),
    "a sender comes, says a sentence and leaves": (400, Subject.sentence),
    "the backend is switched": (200, Subject.switch),
    "a setting is changed": (1000, Subject.set),
    "twenty hot words are added and removed again": (200, Subject.words),
    "a client comes, asks and leaves": (1000, Subject.visit),
}
"""Repetitions and action of each task. The first fills what is kept for clients that missed events."""


def address(folder: Path, name: str) -> str:
    """Return the address of a socket of the daemon."""
    return f"ipc://{folder / name}"


@contextmanager
def daemon(options: tuple[str, ...]) -> Iterator[Subject]:
    """Run a daemon that listens to one sender after another, as fast as they send."""
    speech = np.concatenate([block for clip in bundled("real") for block in read_blocks(clip.audio)])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sockets = [
            *("--source", f"a=pcm:{address(folder, 'audio')}"),
            *("--events", address(folder, "events"), "--control", address(folder, "control")),
            *("--journal", str(folder)),
        ]
        words = ("--words", str(folder / "words.json"))
        command = [sys.executable, "-m", "asrd.cli.main", "start", *sockets, *words, *options]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
            try:
                subject = Subject(process, folder, speech)
                yield subject
                subject.close()
            except BaseException:
                process.kill()
                raise


def measure(subject: Subject, name: str, times: int) -> dict[str, Any]:
    """Return the resident MiB before, and after each quarter of `times`."""
    resident = [subject.resident]
    for _ in range(QUARTERS):
        for _ in range(times // QUARTERS):
            TASKS[name][1](subject)
        resident.append(subject.resident)
    return {"task": name, "times": times, "resident": resident}


def row_of(measured: dict[str, Any]) -> list[str]:
    """Return a row of the page's table."""
    resident, times = measured["resident"], measured["times"]
    late = 1024 * (resident[-1] - resident[QUARTERS // 2]) / (times / 2)
    return [measured["task"], str(times), *(f"{one:.1f}" for one in resident), f"{late:.1f}"]


TITLES = ["what is done", "times", "MiB before", "¼", "½", "¾", "after", "KiB each, 2nd half"]


@click.command()
@click.option("--scale", default=1.0, show_default=True, help="Do everything this many times as often.")
@click.option("--task", "tasks", multiple=True, type=click.Choice(list(TASKS)), default=list(TASKS), help="Repeatable.")
@click.option("--json", "record", type=click.Path(path_type=Path), help="Keep the figures here.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page, as docs/memory.md.")
@click.argument("options", nargs=-1)
def main(
    scale: float, tasks: tuple[str, ...], record: Path | None, page: Path | None, options: tuple[str, ...]
) -> None:
    """Measure a daemon's memory as tasks are repeated. OPTIONS: of 'asrd start', after --."""
    measured = []
    with daemon(options) as subject:
        for name in tasks:
            measured.append(measure(subject, name, QUARTERS * max(1, round(TASKS[name][0] * scale / QUARTERS))))
            click.echo(" | ".join(row_of(measured[-1])))
    if record:
        record.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    if page:
        put(page, "memory", table(TITLES, [row_of(one) for one in measured]))


if __name__ == "__main__":
    main()

"""Measure what a process of its own costs a backend: CPU time a window, and the time to its answer.

    python benchmarks/child.py

Windows of one backend and model go by turns to the daemon's process and to one such as third parties' backends have.
"""

import os
import statistics
import time
from pathlib import Path

import click
import numpy as np

from asrd.backends import Backend, LoadOptions, load
from asrd.backends.remote import Remote
from asrd.core.units import MAX_WINDOW
from asrd.models.store import resolve

ROUNDS = 200
TICK = os.sysconf("SC_CLK_TCK")


class Int8(Remote):
    """asrd's own backend, in a process as a third party's."""

    name = "int8"


def used(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def main() -> None:
    """Print a line for each."""
    model, options = resolve("asrd-tiny-en"), LoadOptions(threads=1)
    remote = Int8.load(model, options)
    assert remote._child
    child = remote._child._process.pid
    backends: dict[str, Backend] = {"in process": load("int8", model, options), "in a child": remote}
    took: dict[str, list[float]] = {name: [] for name in backends}
    spent = dict.fromkeys(backends, 0.0)
    audio = np.random.default_rng(1).standard_normal((1, MAX_WINDOW)).astype(np.float32)
    for backend in backends.values():
        backend.warm_up(MAX_WINDOW)
    for _ in range(ROUNDS):
        for name, backend in backends.items():
            began, cpu, other = time.perf_counter(), time.process_time(), used(child)
            backend.logits(audio)
            took[name].append(time.perf_counter() - began)
            spent[name] += time.process_time() - cpu + used(child) - other
    for name, times in took.items():
        cpu, wall = 1000 * spent[name] / ROUNDS, 1000 * statistics.median(times)
        click.echo(f"{name}: {cpu:.1f} ms CPU, {wall:.1f} ms to the answer")
    for backend in backends.values():
        backend.close()


if __name__ == "__main__":
    main()

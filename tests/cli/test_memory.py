"""A memory limit is refused if it cannot be enough, and ends the work that passes it."""

import gc
import re
import subprocess
import sys
import threading

import pytest

from asrd.cli import memory
from asrd.cli.memory import GIB, MemoryLimitError, bounded, resident
from asrd.core.errors import UsageError


def test_what_cannot_be_enough_is_refused_beforehand() -> None:
    with (
        pytest.raises(UsageError, match=r"--memory 0.4 is too little: .* 0.51 GiB; allow more"),
        bounded(0.4, round(0.501 * GIB)),
    ):
        pass


def test_work_within_the_limit_is_left_alone() -> None:
    before = threading.active_count()
    with bounded(resident() / GIB + 1, 0):
        held = bytearray(1 << 20)
    assert len(held) == 1 << 20
    assert threading.active_count() == before


def test_work_that_passes_the_limit_ends_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "GRACE_S", 60.0)
    limit = resident() / GIB + 0.05
    with (
        pytest.raises(MemoryLimitError, match=rf"more than the {limit:g} GiB .*; allow more, with --resume"),
        bounded(limit, 0, ", with --resume"),
    ):
        _grow()


def _collect_and_wait() -> None:
    gc.collect()
    threading.Event().wait(30)


def _grow() -> None:
    """Take memory no faster than it is watched: on a busy machine it would all be taken in a moment."""
    held, pause = [], threading.Event()
    while not pause.wait(0.001):
        held.append(b"x" * (1 << 20) + bytes(len(held) % 2))


def test_an_interruption_that_is_lost_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python prints and forgets what is raised while it collects garbage."""
    monkeypatch.setattr(memory, "GRACE_S", 60.0)
    lost = []

    def swallow(phase: str, info: dict[str, int]) -> None:
        if not lost:
            try:
                _grow()
            except MemoryLimitError as error:
                lost.append(error)

    gc.callbacks.append(swallow)
    try:
        with pytest.raises(MemoryLimitError), bounded(resident() / GIB + 0.05, 0):
            _collect_and_wait()
        assert lost
    finally:
        gc.callbacks.remove(swallow)


STUBBORN = """
import time
from asrd.cli import memory
memory.GRACE_S = 0.2
with memory.bounded(memory.resident() / memory.GIB + 0.05, 0):
    held = bytearray(b"x") * (200 << 20)
    try:
        while True:
            time.sleep(0.01)
    except memory.MemoryLimitError:
        while True:  # as a library that does not return
            time.sleep(0.01)
"""


def test_a_library_that_does_not_return_ends_with_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", STUBBORN], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"asrd: this takes more than the .*allow more\n", done.stderr)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), bounded(resident() / GIB + 1, 0):
        _ = 1 / 0
    assert memory.GRACE_S > 0

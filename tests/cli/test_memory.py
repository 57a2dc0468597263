"""A memory limit is refused if it cannot be enough, and ends the work that passes it."""

import re
import subprocess
import sys
import threading

import pytest

from asrd.cli import memory
from asrd.cli.memory import GIB, bounded, resident
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


GROWING = """
import threading
from asrd.cli import memory
memory.GRACE_S = 60.0
held, pause = [], threading.Event()
try:
    with memory.bounded(memory.resident() / memory.GIB + 0.05, 0, ", with --resume"):
        while not pause.wait(0.001):
            held.append(b"x" * (1 << 20) + bytes(len(held) % 2))
except memory.MemoryLimitError as error:
    print(error)
"""


def test_work_that_passes_the_limit_ends_in_one_line() -> None:
    """In a process of its own: what a limit does to this one is not known."""
    done = subprocess.run([sys.executable, "-c", GROWING], capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        r"this takes more than the .* GiB that --memory allows; allow more, with --resume\n", done.stdout
    )


GARBAGE = """
import gc, threading
from asrd.cli import memory
memory.GRACE_S = 60.0
lost, held = [], []

def swallow(phase, info):
    if not lost:
        try:
            while True:
                held.append(b"x" * (1 << 20) + bytes(len(held) % 2))
                threading.Event().wait(0.001)
        except memory.MemoryLimitError:
            lost.append(True)

gc.callbacks.append(swallow)
try:
    with memory.bounded(memory.resident() / memory.GIB + 0.05, 0):
        gc.collect()
        threading.Event().wait(30)
except memory.MemoryLimitError:
    print(lost)
"""


def test_an_interruption_that_is_lost_comes_again() -> None:
    """Python prints and forgets what is raised while it collects garbage."""
    done = subprocess.run([sys.executable, "-c", GARBAGE], capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stdout) == (0, "[True]\n"), done.stderr


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

"""A third party's backend that fails in every way ends neither the daemon nor what it hears."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from asrd.core.events import AnyEvent, Error, Final, Gap
from asrd.core.events import Backend as Switched
from asrd.models.store import resolve
from tests.installing import install

from .conftest import SOAK, Victim
from .speech import playing, sentences

TOY = Path(__file__).parent / "faulty"

FAULTS = {
    "raise": "out of luck",
    "nan": "values that are not numbers",
    "shape": "answered with shape",
    "exit": "leaves",
    "interrupt": "interrupted",
    "cancel": "cancelled",
    "segfault": "was killed by SIGSEGV",
    "abort": "was killed by SIGABRT",
    "memory": "ended with exit code 137",
    "hang": "has not answered for",
}
"""What the backend does, and what is said of it."""

TRIED = FAULTS if SOAK else ("raise", "nan", "exit", "segfault", "hang")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The PYTHONPATH of a process that has the faulty backend installed beside asrd."""
    return install(TOY, tmp_path_factory.mktemp("faulty"))["PYTHONPATH"]


def hear(folder: Path, *arguments: str) -> list[AnyEvent]:
    """Return what a daemon publishes that hears one sentence and is then stopped. Fails unless its code is 0."""
    victim = Victim(folder, *arguments)
    try:
        with victim.events() as events, playing(f"ipc://{victim.paths['audio']}", sentences(1), speed=4.0):
            while not isinstance(next(events), Final):
                pass
        victim.control.stop()
        assert victim.process.wait(20) == 0, victim.log
    finally:
        victim.end()
    return victim.published()


def text(events: list[AnyEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Final)]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the fallback hears by itself."""
    return text(hear(tmp_path_factory.mktemp("expected"), "--backend", "int8"))


@pytest.mark.slow
@pytest.mark.parametrize("fault", TRIED)
def test_the_fallback_hears_everything(
    tmp_path: Path, faulty: str, expected: list[str], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", faulty)
    monkeypatch.setenv("FAULT", fault)
    events = hear(tmp_path, "--backend", "faulty")
    assert not [event for event in events if isinstance(event, Gap)]
    assert text(events) == expected
    first, second = [event.message for event in events if isinstance(event, Error)]
    assert first.startswith("backend faulty failed; the window is tried again: ")
    assert second.startswith("backend faulty failed twice; int8 replaces it until 'asrd backend use faulty'")
    assert FAULTS[fault] in first
    assert FAULTS[fault] in second
    assert [(event.previous, event.name) for event in events if isinstance(event, Switched)][-1] == ("faulty", "int8")


@pytest.mark.slow
def test_a_backend_that_fails_once_is_started_again_and_stays(
    tmp_path: Path, faulty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", faulty)
    monkeypatch.setenv("FAULT", "segfault")
    monkeypatch.setenv("FAULT_ONCE", str(tmp_path / "once"))
    events = hear(tmp_path, "--backend", "faulty")
    assert not [event for event in events if isinstance(event, Gap)]
    assert len([event for event in events if isinstance(event, Error)]) == 1
    assert not [event for event in events if isinstance(event, Switched) and event.previous]


@pytest.mark.slow
def test_without_a_fallback_there_is_a_gap(tmp_path: Path, faulty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model has nothing that asrd's own backends could load."""
    model = resolve("asrd-tiny-en").path
    bare = shutil.copytree(model, tmp_path / "bare", ignore=shutil.ignore_patterns("openvino", "*.safetensors"))
    monkeypatch.setenv("PYTHONPATH", faulty)
    monkeypatch.setenv("FAULT", "abort")
    events = hear(tmp_path, "--backend", "faulty", "--model", str(bare))
    assert "the backend failed" in {event.reason for event in events if isinstance(event, Gap)}


def test_its_process_ends_with_the_one_that_started_it(faulty: str) -> None:
    """Even if that one is killed, and the process hangs."""
    code = (
        "import time; from asrd.backends import load; from asrd.models.store import resolve; "
        "one = load('faulty', resolve('asrd-tiny-en')); print(one._child._process.pid, flush=True); "
        "one.warm_up(16000); one.warm_up(16000); one.warm_up(16000)"
    )
    environment = {**os.environ, "PYTHONPATH": faulty, "FAULT": "stuck"}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        assert select.select([child], [], [], 10)[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
        os.close(child)

"""SIGTERM and SIGHUP come whenever they like: while it loads, listens, switches, or ends."""

import contextlib
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asrd.core.errors import AsrdError
from asrd.core.events import Final, Gap, Stopped

from .conftest import SOAK, Count, Victim, unended
from .speech import playing, sentences

STATES = ("loading", "idle", "speech", "switching")
ROUNDS = 15 if SOAK else 1


@contextmanager
def busy(victim: Victim, state: str) -> Iterator[None]:
    """Bring a daemon into a state."""
    if state == "speech":
        with playing(f"ipc://{victim.paths['audio']}", sentences(1)), victim.events() as events:
            while type(next(events)).__name__ != "Partial":
                pass
            yield
    elif state == "switching":
        with playing(f"ipc://{victim.paths['audio']}", sentences(1)):
            switching = threading.Thread(target=switch, args=(victim,))
            switching.start()
            yield
        switching.join()
    else:
        yield


def wait_until_it_loads(victim: Victim) -> None:
    """Wait for a socket: before that, Python itself is loading."""
    while not victim.paths["control"].exists():
        time.sleep(0.01)


def switch(victim: Victim) -> None:
    with contextlib.suppress(AsrdError):  # it may end meanwhile
        victim.control.use_backend("fp16")


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
def test_sigterm(tmp_path: Path, state: str, count: Count) -> None:
    """It ends at once with code 0, and every utterance with it."""
    chance, slowest = random.Random(0), 0.0
    for number in range(ROUNDS):
        (folder := tmp_path / str(number)).mkdir()
        victim = Victim(folder, ready=state != "loading")
        try:
            if state == "loading":
                wait_until_it_loads(victim)
                time.sleep(chance.uniform(0, 0.8))  # any moment will do
            with busy(victim, state):
                begin = time.monotonic()
                victim.process.send_signal(signal.SIGTERM)
                code = victim.process.wait(20)
                slowest = max(slowest, time.monotonic() - begin)
            assert code == 0, victim.log
            assert "Traceback" not in victim.log
            published = victim.published()
            assert unended(published) == (0, 0)
            assert isinstance(published[-1], Stopped)
        finally:
            victim.end()
    count(signals=ROUNDS, slowest_stop_in_s=round(slowest, 2))


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
def test_sighup(tmp_path: Path, state: str, count: Count) -> None:
    """It goes on, and loses nothing."""
    victim = Victim(tmp_path, ready=state != "loading")
    try:
        if state == "loading":
            wait_until_it_loads(victim)
            victim.process.send_signal(signal.SIGHUP)
            victim.wait()
        for _ in range(ROUNDS):
            with busy(victim, state):
                victim.process.send_signal(signal.SIGHUP)
        with playing(f"ipc://{victim.paths['audio']}", sentences(1)), victim.events() as events:
            while not isinstance(next(events), Final):
                pass
        assert victim.log.count("reloaded:") >= 1
        victim.process.send_signal(signal.SIGTERM)
        assert victim.process.wait(20) == 0
        published = victim.published()
        assert unended(published) == (0, 0)
        assert not [event for event in published if isinstance(event, Gap)]
    finally:
        victim.end()
    count(signals=ROUNDS, gaps=0)

"""Measures against being behind are taken one by one, told, and undone."""

import asyncio
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asrd.clients.sender import Sender
from asrd.core.events import Behind, Event, Final, Gap
from asrd.core.flow import FloatArray
from asrd.daemon.server import load
from asrd.daemon.server.load import CALM, PATIENCE, Load

from .conftest import Harness, drive


class Machine:
    """Streams whose lag a test sets, and what is done about it."""

    def __init__(self, rule: str) -> None:
        self.now, self.behind, self.told, self.used = 100.0, 0.0, [], []
        self.scheduler = SimpleNamespace(shed=set(), name="torch")
        self.streams = self
        self.max_lag = 30.0
        self.load = Load(self, self.scheduler, self, self.use, rule=rule, clock=lambda: self.now)  # type: ignore[arg-type]

    def __iter__(self) -> Any:
        return iter([SimpleNamespace(behind=self.behind, source=SimpleNamespace(stream="desk"))])

    async def publish(self, event: Event) -> None:
        assert isinstance(event, Behind)
        self.told.append(event.measures)

    async def use(self, name: str) -> None:
        self.scheduler.name = name
        self.used.append(name)

    def look(self, behind: float, seconds: float) -> None:
        self.behind = behind
        until = self.now + seconds
        while self.now < until:
            self.now += 0.25
            asyncio.run(self.load.look())


@pytest.mark.parametrize(
    ("rule", "last"),
    [("wait", ()), ("drop", ("drop",)), ("int8", ("int8",))],
)
def test_measures_are_taken_one_by_one_and_undone_one_by_one(rule: str, last: tuple[str, ...]) -> None:
    machine = Machine(rule)
    machine.look(0.9, 60)
    assert not machine.told
    machine.look(1.5, 4 * PATIENCE)
    steps = [("partials",), ("partials", "probes"), *([("partials", "probes", *last)] if last else [])]
    assert machine.told == steps
    assert machine.scheduler.shed == {"partials", "probes"}
    assert machine.max_lag == (1.0 if rule == "drop" else 30.0)
    machine.look(0.1, 4 * CALM)
    assert machine.told == [*steps, *reversed(steps[:-1]), ()]
    assert machine.scheduler.shed == set()
    assert machine.max_lag == 30.0
    assert machine.used == (["int8", "torch"] if rule == "int8" else [])


def test_a_lag_that_comes_and_goes_does_not_toggle_measures() -> None:
    machine = Machine("wait")
    for _ in range(20):
        machine.look(1.2, 1.0)
        machine.look(0.2, CALM - 2.0)
    assert machine.told == [("partials",), ("partials", "probes")]


@pytest.mark.slow
def test_a_slow_backend_is_told_and_what_is_too_late_is_a_gap(
    tmp_path: Path, babble: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Speech comes as it is spoken, to a backend that takes twice as long for it."""
    monkeypatch.setattr(load, "PATIENCE", 0.5)
    harness = Harness(tmp_path, when_behind="drop")
    speech, slow = np.tile(babble, 4)[: 16 * 16_000], threading.Event()

    def speak() -> None:
        with Sender(harness.audio, timeout=10) as sender:
            began = time.monotonic()
            for first in range(0, len(speech), 1600):
                sender.send(speech[first : first + 1600])
                time.sleep(max(0.0, began + (first + 1600) / 16_000 - time.monotonic()))

    async def scenario() -> None:
        async with harness.running() as daemon:
            backend, infer = daemon.engine.scheduler.backend, daemon.engine.scheduler.backend.infer

            def slowed(batch: FloatArray) -> FloatArray:
                slow.wait(1.2)  # never set: a window of a second takes longer than it
                return infer(batch)

            monkeypatch.setattr(backend, "infer", slowed)
            speaking = asyncio.create_task(asyncio.to_thread(speak))
            await harness.until(lambda item: isinstance(item, Behind) and "drop" in item.measures)
            await harness.until(lambda item: isinstance(item, Gap))
            slow.set()
            await speaking
            assert daemon.reporter.status().measures

    drive(scenario())
    told = [event.measures for event in harness.seen if isinstance(event, Behind)]
    assert told[:3] == [("partials",), ("partials", "probes"), ("partials", "probes", "drop")]
    assert {gap.reason for gap in harness.of(Gap)} == {"the machine was behind"}
    assert harness.of(Final)

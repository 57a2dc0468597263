"""Memory does not grow by subscriptions, and nobody else hears of them."""

import time
from collections.abc import Iterator

import psutil
import pytest
import zmq

from asrd.core.events import Heartbeat, Status

from .conftest import SOAK, Victim

SUBSCRIPTIONS = 20_000
GROWTH = 40 << 20
"""Bytes."""


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    daemon = Victim(tmp_path_factory.mktemp("daemon"))
    yield daemon
    daemon.end()


@pytest.mark.parametrize("size", [8, 100])
def test_a_flood_of_subscriptions_is_bounded(victim: Victim, size: int) -> None:
    process = psutil.Process(victim.process.pid)
    before = process.memory_info().rss
    with victim.events() as events, zmq.Context() as context, context.socket(zmq.XSUB) as vandal:
        vandal.set(zmq.LINGER, 0)
        vandal.set(zmq.SNDHWM, 0)
        next(events)
        vandal.connect(f"ipc://{victim.paths['events']}")
        for number in range(SUBSCRIPTIONS):
            vandal.send(b"\1" + b"%d." % number * (size // 6))
        until = time.monotonic() + (60 if SOAK else 2)
        seen = []
        while time.monotonic() < until:
            seen.append(next(events))
    types = {type(event) for event in seen}
    assert Heartbeat in types
    assert Status not in types
    assert process.memory_info().rss - before < GROWTH
    status = victim.control.status()
    assert isinstance(status, Status)
    assert status.malformed > 0
    assert victim.log.count("a malformed message was ignored") <= 1 + SOAK  # a line per minute

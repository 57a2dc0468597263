"""However many connect to its sockets, a daemon goes on, and says whom it refused."""

import time
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from asrd.core.events import Error
from asrd.daemon.server import http
from asrd.daemon.server.control import CLIENTS
from asrd.daemon.server.publisher import SUBSCRIBERS
from asrd.daemon.sources.inlet import SENDERS

from .conftest import SOAK, Victim

MOST = {
    "unix events": SUBSCRIBERS,
    "unix control": CLIENTS,
    "unix audio": SENDERS,
    "tcp events": SUBSCRIBERS,
    "tcp audio": SENDERS,
    "tcp metrics": http.CLIENTS,
}
ATTEMPTS = 10_000
LATE = 3_000
"""Files that a daemon has besides, and connections accepted before it notices that there are enough."""


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory, many_files: int) -> Iterator[Victim]:
    if many_files < 2 * ATTEMPTS:
        pytest.skip(f"this process may open only {many_files} files")
    daemon = Victim(tmp_path_factory.mktemp("daemon"), files=256)
    yield daemon
    daemon.end()


def test_an_event_says_who_was_refused(victim: Victim) -> None:
    with victim.events() as events:
        held = [victim.connect("unix control") for _ in range(CLIENTS)]
        for event in events:
            if isinstance(event, Error):
                break
            held.append(victim.connect("unix control"))  # with every heartbeat
    assert event.message.startswith(f"ipc://{victim.paths['control']} refused ")
    assert event.message.endswith(" are open, and no more may be; end programs that hold them")
    assert event.message in victim.log
    for one in held:
        one.close()


@pytest.mark.parametrize("name", MOST)
def test_connections_without_end_leave_it_alive(victim: Victim, name: str) -> None:
    """Nobody says anything: half-open connections, as a stranger without a key has them. The daemon's own limit of
    files is raised; it could not hold those that it may otherwise.
    """
    most = MOST[name]
    before, attempts = victim.control.status().refused, ATTEMPTS if SOAK or name.startswith("unix") else min(most, 300)
    held = [victim.connect(name) for _ in range(attempts)]
    assert victim.process.poll() is None
    assert victim.open_files() < most + LATE
    for one in held:
        one.close()
    deadline = time.monotonic() + 10
    while (status := victim.control.status()).connections > 2:  # the fixture's, and this one
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (status.refused > before) == (attempts > most and name != "tcp metrics")


def test_half_open_connections_end_soon(victim: Victim) -> None:
    with victim.connect("tcp events") as silent:
        silent.settimeout(10)
        began = time.monotonic()
        while silent.recv(1000):
            pass
        assert time.monotonic() - began < 7


def test_slow_readers_of_metrics_are_bounded(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = [victim.connect("tcp metrics") for _ in range(http.CLIENTS)]
    for one in slow:
        one.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
    deadline = time.monotonic() + http.TIME + 5
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{victim.ports['metrics']}/metrics", timeout=10) as answer:
                assert b"asrd_refused_connections_total" in answer.read()
            break
        except OSError:  # refused until their time is over
            assert time.monotonic() < deadline
            time.sleep(0.1)
    for one in slow:
        one.close()

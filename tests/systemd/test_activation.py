"""A daemon takes the sockets that systemd opened for it; who connects before it is ready gets an answer."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from asrd.clients import Control, Subscriber
from asrd.core.events import Status
from asrd.daemon.transport.inherited import FIRST, inherited, unused
from asrd.daemon.transport.sockets import Binding

WRAPPER = """
import os, sys
for i, handle in enumerate(sys.argv[1].split(',')):
    os.dup2(int(handle), 3 + i)
os.environ['LISTEN_PID'] = str(os.getpid())
os.environ['LISTEN_FDS'] = str(i + 1)
os.environ['LISTEN_FDNAMES'] = ':'.join(['asrd.socket'] * (i + 1))
os.execv(sys.executable, [sys.executable, '-m', 'asrd.cli.main', *sys.argv[2:]])
"""


def listening(address: str) -> socket.socket:
    """Open a socket as systemd does."""
    kind, place = address.split("://")
    one = socket.socket(socket.AF_UNIX if kind == "ipc" else socket.AF_INET)
    one.bind(place if kind == "ipc" else ("127.0.0.1", int(place.rpartition(":")[2])))
    one.listen(64)
    return one


def spare_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(params=["ipc", "tcp"])
def addresses(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Addresses of events and of requests."""
    if request.param == "ipc":
        return [f"ipc://{tmp_path}/events", f"ipc://{tmp_path}/control"]
    return [f"tcp://127.0.0.1:{spare_port()}" for _ in range(2)]


@pytest.fixture
def opened(addresses: list[str]) -> Iterator[list[socket.socket]]:
    """The sockets of a socket unit, which stay open whatever becomes of the daemon."""
    sockets = [listening(address) for address in addresses]
    yield sockets
    for one in sockets:
        one.close()


def start(folder: Path, addresses: list[str], opened: list[socket.socket]) -> "subprocess.Popen[bytes]":
    events, control = addresses
    handles = [os.dup(one.fileno()) for one in opened]
    moved = [os.dup2(handle, 100 + i) for i, handle in enumerate(handles)]
    arguments = ["--model", "asrd-tiny-en", "--decoder", "greedy", "-s", f"pcm:ipc://{folder}/pcm", "--no-journal"]
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", WRAPPER, ",".join(map(str, moved)), "start", *arguments),
            *("--events", events, "--control", control),
        ],
        pass_fds=moved,
        env={name: value for name, value in os.environ.items() if not name.startswith("ASRD_")}
        | {"XDG_CONFIG_HOME": str(folder), "ASRD_KEY": "none"},
    )
    for handle in (*handles, *moved):
        os.close(handle)
    return process


def test_who_connects_before_the_daemon_is_there_gets_an_answer(
    tmp_path: Path, addresses: list[str], opened: list[socket.socket]
) -> None:
    """Twice: the sockets outlive a daemon, so that nobody is turned away between two."""
    for _ in range(2):
        answers: list[Status] = []
        asking = threading.Thread(target=lambda: answers.append(Control(addresses[1], timeout=30).status()))  # noqa: B023
        asking.start()
        with Subscriber(addresses[0], once=True, timeout=30) as events:
            process = start(tmp_path, addresses, opened)
            try:
                assert next(iter(events)).daemon
                asking.join(30)
                assert [answer.pid for answer in answers] == [process.pid]
                assert [*answers[0].events] == [addresses[0]]
                Control(addresses[1]).stop()
                assert process.wait(10) == 0
            finally:
                process.kill()
                process.wait()


def test_sockets_for_another_process_are_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with listening(f"ipc://{tmp_path}/x") as one:
        monkeypatch.setattr("asrd.daemon.transport.inherited.FIRST", one.fileno())
        monkeypatch.setenv("LISTEN_FDS", "1")
        monkeypatch.setenv("LISTEN_PID", str(os.getppid()))
        assert inherited(f"ipc://{tmp_path}/x") is None
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        assert inherited(f"ipc://{tmp_path}/x") == one.fileno()
        assert inherited(f"ipc://{tmp_path}/y") is None
        assert unused([f"ipc://{tmp_path}/y"]) == [f"ipc://{tmp_path}/x"]
        assert unused([f"ipc://{tmp_path}/x"]) == []
    assert FIRST == 3


def test_other_addresses_of_the_same_socket_are_bound_as_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before, after = (f"ipc://{tmp_path}/{name}" for name in ("before", "after"))
    one = listening(before)
    monkeypatch.setattr("asrd.daemon.transport.inherited.FIRST", one.fileno())
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    one.detach()  # libzmq closes it
    with zmq.Context() as context, context.socket(zmq.REP) as server:
        bindings = [Binding(server, before), Binding(server, after)]
        for address in (before, after):
            with context.socket(zmq.REQ) as client:
                client.connect(address)
                client.send(b"?")
                assert server.recv() == b"?"
                server.send(b"!")
                assert client.recv() == b"!"
        for binding in bindings:
            binding.close()

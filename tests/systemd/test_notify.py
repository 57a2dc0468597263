"""The service manager is notified, on a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from asrd.daemon.server.systemd import notify


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A bound socket like systemd's, named in the environment."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@asrd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(name.replace("@", "\0", 1))
        bound.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield bound


def test_states_arrive_as_one_datagram(manager: socket.socket) -> None:
    assert notify("READY=1", "STATUS=listening to the café")
    assert manager.recv(4096).decode() == "READY=1\nSTATUS=listening to the café"


def test_each_call_is_a_datagram(manager: socket.socket) -> None:
    assert notify("READY=1")
    assert notify("STOPPING=1")
    assert [manager.recv(4096), manager.recv(4096)] == [b"READY=1", b"STOPPING=1"]


def test_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")


def test_whoever_asked_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not notify("READY=1")

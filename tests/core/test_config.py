"""Clients find the daemon where its settings put it."""

from pathlib import Path

import pytest

from asrd.clients import Control, Subscriber
from asrd.core import addresses, config
from asrd.core.addresses import control_address, events_address, reachable
from asrd.core.errors import UsageError


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Paths of the machine's and the user's settings, neither of which exists yet."""
    monkeypatch.delenv("ASRD_EVENTS", raising=False)
    monkeypatch.delenv("ASRD_CONTROL", raising=False)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    paths = [tmp_path / "etc.toml", tmp_path / "home.toml"]
    monkeypatch.setattr(config, "config_files", lambda: paths)
    return paths


def test_without_files_it_is_the_usual_place(files: list[Path], tmp_path: Path) -> None:
    assert Control().address == control_address() == f"ipc://{tmp_path}/run/control"


def test_later_ones_win(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, user = files
    machine.write_text(
        f'events = ["ipc://{tmp_path}/machine", "tcp://*:7"]\ncontrol = "tcp://0.0.0.0:7008"\n', encoding="utf-8"
    )
    assert (events_address(), control_address()) == (f"ipc://{tmp_path}/machine", "tcp://0.0.0.0:7008")
    assert Control().address == "tcp://127.0.0.1:7008"
    user.write_text(f'events = "ipc://{tmp_path}/user"\nhop = 0.5\n', encoding="utf-8")
    with Subscriber() as subscriber:
        assert subscriber.address == f"ipc://{tmp_path}/user"
    monkeypatch.setenv("ASRD_EVENTS", f"ipc://{tmp_path}/variable")
    assert events_address() == f"ipc://{tmp_path}/variable"
    with Subscriber(f"ipc://{tmp_path}/given") as subscriber:
        assert subscriber.address == f"ipc://{tmp_path}/given"


@pytest.mark.parametrize(("content", "told"), [("events = ", "cannot be read"), ("events = 7", "is text, not 7")])
def test_what_cannot_be_understood_is_told(files: list[Path], content: str, told: str) -> None:
    files[1].write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        Subscriber()


@pytest.mark.parametrize(
    ("bound", "connected"),
    [
        ("tcp://*:7007", "tcp://127.0.0.1:7007"),
        ("tcp://0.0.0.0:7007", "tcp://127.0.0.1:7007"),
        ("tcp://[::]:7007", "tcp://[::1]:7007"),
        ("tcp://192.0.2.1:7007", "tcp://192.0.2.1:7007"),
        ("ipc:///run/*:", "ipc:///run/*:"),
    ],
)
def test_what_is_bound_everywhere_is_reached_here(bound: str, connected: str) -> None:
    assert reachable(bound) == connected


def test_a_byte_order_mark_is_no_setting(tmp_path: Path) -> None:
    """Notepad and PowerShell begin files with one."""
    path = tmp_path / "asrd.toml"
    path.write_bytes(b'\xef\xbb\xbfbackend = "int8"\r\n')
    assert config.read(path) == {"backend": "int8"}


def test_clients_look_for_the_machine_s_daemon_where_the_user_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "own"))
    monkeypatch.setattr(addresses, "MACHINE", tmp_path / "machine")
    own, machine = f"ipc://{tmp_path}/own/events", f"ipc://{tmp_path}/machine/events"
    assert addresses.events_address() == own
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "events").touch()
    assert addresses.events_address() == machine
    assert addresses.events_address(own=True) == own
    assert addresses.control_address() == f"ipc://{tmp_path}/own/control"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "events").touch()
    assert addresses.events_address() == own

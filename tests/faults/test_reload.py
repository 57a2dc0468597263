"""SIGHUP reloads settings and hot words while audio goes on; closing a terminal ends a daemon."""

import json
import os
import pty
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from asrd.clients.sender import Sender
from asrd.core.events import AnyEvent, Error, Final, Gap, Settings, Status
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

from .conftest import Victim


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield bound


def told(manager: socket.socket, wanted: str) -> str:
    """Return the next message to a service manager that begins so."""
    while not (message := manager.recv(4096).decode()).startswith(wanted):
        pass
    return message


def settle(events: Iterator[AnyEvent], kind: type[AnyEvent]) -> AnyEvent:
    return next(event for event in events if isinstance(event, kind))


def test_settings_change_in_mid_speech_and_nothing_is_lost(tmp_path: Path, manager: socket.socket) -> None:
    settings = tmp_path / "asrd" / "asrd.toml"
    settings.parent.mkdir()
    settings.write_text("hangover = 0.6\n", encoding="utf-8")
    victim = Victim(tmp_path)
    clip = np.concatenate([*read_blocks(bundled("real")[0].audio), np.zeros(2 * SAMPLE_RATE, np.float32)])
    try:
        assert "STATUS=" in told(manager, "READY=1")
        with victim.events() as events:
            settle(events, Status)
            with Sender(f"ipc://{victim.paths['audio']}", waits=True) as sender:
                sender.send(clip[: len(clip) // 2])
                settings.write_text("hangover = 0.8\nsource = ['mic']\n", encoding="utf-8")
                victim.process.send_signal(signal.SIGHUP)
                status = settle(events, Status)
                assert told(manager, "RELOADING=1").count("MONOTONIC_USEC=") == 1
                told(manager, "READY=1")
                sender.send(clip[len(clip) // 2 :])
                seen: list[AnyEvent] = []
                while not isinstance(seen[-1] if seen else None, Final):
                    seen.append(next(events))
        assert isinstance(status, Status)
        assert [event.values["hangover"] for event in seen if isinstance(event, Settings)] == [0.8 * SAMPLE_RATE]
        assert not [event for event in seen if isinstance(event, Gap | Error)]
        assert "reloaded: hangover 0.8 s; 0 hot words" in victim.log
        settings.write_text("hangover = nonsense\n", encoding="utf-8")
        with victim.events() as events:
            settle(events, Status)
            victim.process.send_signal(signal.SIGHUP)
            error = settle(events, Error)
        assert isinstance(error, Error)
        assert "not everything was reloaded" in error.message
        assert victim.control.settings()["unix"]["hangover"].value == 0.8 * SAMPLE_RATE
        victim.process.send_signal(signal.SIGTERM)
        assert victim.process.wait(5) == 0
    finally:
        victim.end()


def test_hot_words_are_read_again(tmp_path: Path) -> None:
    words = tmp_path / "words.json"
    victim = Victim(tmp_path, "--words", str(words))
    try:
        words.write_text(json.dumps({"Saoirse": 5.0}), encoding="utf-8")
        with victim.events() as events:
            settle(events, Status)
            victim.process.send_signal(signal.SIGHUP)
            settle(events, Status)
        assert "reloaded: 1 hot word" in victim.log
    finally:
        victim.end()


def test_closing_the_terminal_ends_it(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    victim = Victim(tmp_path, terminal=theirs)
    os.close(theirs)
    os.close(ours)
    try:
        assert victim.process.wait(10) == 0
        assert victim.log.endswith("stopped: SIGHUP\n")
    finally:
        victim.end()

"""`asrd stop` returns once the process has ended, not once it stopped responding."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
import zmq
from click.testing import CliRunner

from asrd.cli.control import status, stop
from asrd.cli.settings import set_
from asrd.cli.words import words
from asrd.clients import Control
from asrd.core.control import Reply
from asrd.core.errors import AsrdError, UsageError
from asrd.core.events import Status, StreamStatus
from asrd.daemon.segmentation.settings import SETTABLE, SegmenterSettings


def state(pid: int) -> Status:
    return Status(
        version="1",
        pid=pid,
        backend="fp16",
        arithmetic="float32",
        model="m",
        uptime=1.0,
        audio_seconds=1.0,
        inference_seconds=0.1,
        peak_memory=1,
        streams={},
    )


@contextmanager
def answering(address: str, pid: int, after: Callable[[], None] = lambda: None) -> Iterator[list[bytes]]:
    """Open a control socket that answers a status and a stop request, runs `after` and stops responding."""
    asked: list[bytes] = []
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(address)

        def serve() -> None:
            for result in (state(pid), None):
                if not socket.poll(5000):
                    return
                asked.append(socket.recv())
                socket.send(msgspec.json.encode(Reply(result=result)))
            after()

        thread = Thread(target=serve)
        thread.start()
        yield asked
        thread.join()


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that runs until it is told to end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_stop_waits_for_the_process_and_asks_the_daemon_but_twice(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    began = time.monotonic()

    def end_later() -> None:
        time.sleep(0.4)  # the silence between a daemon's last answer and its end
        sleeper.kill()

    with answering(f"ipc://{tmp_path}/c", sleeper.pid, end_later) as asked:
        result = CliRunner().invoke(stop, ["--control", f"ipc://{tmp_path}/c", "--wait", "5"])
    assert (result.exit_code, len(asked)) == (0, 2)
    assert time.monotonic() - began >= 0.4


def test_stop_fails_while_the_process_is_still_there(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    with answering(f"ipc://{tmp_path}/c", sleeper.pid):
        result = CliRunner().invoke(stop, ["--control", f"ipc://{tmp_path}/c", "--wait", "0.2"])
    assert isinstance(result.exception, AsrdError)
    assert str(result.exception) == (
        f"the daemon (process {sleeper.pid}) is still there after 0.2 s; end it with: kill {sleeper.pid}"
    )


def test_a_process_of_another_user_is_judged_by_its_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    with answering(f"ipc://{tmp_path}/c", 1):
        result = CliRunner().invoke(stop, ["--control", f"ipc://{tmp_path}/c", "--wait", "2"])
    assert result.exit_code == 0


@contextmanager
def obliging(address: str) -> Iterator[list[Any]]:
    """A control socket that answers every request with the settings of two streams."""
    asked: list[Any] = []
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(address)

        def serve() -> None:
            while socket.poll(2000):
                asked.append(msgspec.json.decode(socket.recv()))
                settings = SegmenterSettings().settable()
                socket.send(msgspec.json.encode(Reply(result={"desk": settings, "call": settings})))
                if len(asked) == 2:
                    return

        thread = Thread(target=serve)
        thread.start()
        yield asked
        thread.join()


def test_settings_are_shown_and_set_in_seconds(tmp_path: Path) -> None:
    with obliging(f"ipc://{tmp_path}/c") as asked:
        arguments = ["--control", f"ipc://{tmp_path}/c"]
        shown = CliRunner().invoke(set_, arguments)
        changed = CliRunner().invoke(set_, ["hangover", "0.8", "max-utterance", "20", "--json", *arguments])
    assert asked[0] == {"op": "settings", "stream": ""}
    assert asked[1] == {"op": "settings set", "values": {"hangover": 12_800, "max_utterance": 320_000}, "stream": ""}
    rows = [line.split() for line in shown.output.splitlines()]
    assert ["desk", "max-hangover", "0.90", "0.90", "0.60", "60.00"] in rows
    assert len(rows) == 1 + 2 * len(SETTABLE)
    limits = {"least": 1 / 16_000, "most": 60.0}
    assert json.loads(changed.output)["call"]["hangover"] == {"value": 0.6, "default": 0.6} | limits


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        (["hangover"], "'hangover' has no value; write: asrd set hangover 0.8 max-utterance 20"),
        (["hangover", "soon"], "hangover is a number of seconds, not 'soon'"),
    ],
)
def test_what_is_no_setting_is_wrong_usage(pairs: list[str], why: str) -> None:
    result = CliRunner().invoke(set_, [*pairs, "--control", "ipc:///nowhere"])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == why


@pytest.mark.parametrize("columns", ["40", "80"])
def test_a_status_fits_a_terminal(tmp_path: Path, columns: str) -> None:
    """At the usual width no heading is cut short, and a path can be copied. A narrower terminal wraps it."""
    address = f"ipc://{tmp_path}/c"
    model = "/opt/" + "long/" * 20 + "model"
    stream = StreamStatus(
        source="mic",
        position=10**8,
        waiting=10,
        utterances=10_000,
        lost=10**6,
        skipped=100_000,
        open=False,
        settings={},
        hangover=9600,
    )
    now = msgspec.structs.replace(state(1), streams={"desk": stream}, model=model)
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(address)

        def answer() -> None:
            socket.recv()
            socket.send(msgspec.json.encode(Reply(result=now)))

        thread = Thread(target=answer)
        thread.start()
        result = CliRunner().invoke(status, ["--control", address], env={"COLUMNS": columns})
        thread.join()
    assert result.exit_code == 0, result.exception
    assert "…" not in result.stdout
    assert f"model    {model}, confidence" in result.stdout
    for shown in ("utterances", "hangover", " mic ", "6250.0 s", "100000", "ended"):
        assert shown in result.stdout
    assert max(map(len, result.stdout.replace(model, "").splitlines())) <= 80


@pytest.mark.parametrize(("arguments", "told"), [(["list"], "there are no hot words"), (["list", "--json"], "")])
def test_no_hot_words_is_an_answer(monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str) -> None:
    monkeypatch.setattr(Control, "words", lambda *_: {})
    result = CliRunner().invoke(words, arguments)
    assert (result.exit_code, result.stderr.strip()) == (0, told)

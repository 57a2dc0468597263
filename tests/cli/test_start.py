"""`asrd start` as seen from outside: readiness, settings, shutdown, and all refusals."""

import json
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from asrd.clients import Control, Hole, Subscriber
from asrd.clients.sender import Sender
from asrd.core.events import Final, Partial, Status, Stopped
from asrd.daemon.sources.files import read_blocks
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as bundled_speech

from .conftest import Run, Spawn

CLIP = bundled_speech("real")[0].audio


def listen_until(environment: dict[str, str], kind: type[object]) -> list[object]:
    """Collect everything that is published until the first event of a kind."""
    seen: list[object] = []
    with Subscriber(environment["ASRD_EVENTS"], once=True, timeout=20) as subscriber:
        for item in subscriber:
            seen.append(item)
            if isinstance(item, kind):
                break
    return seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_the_open_utterance_within_five_seconds(
    spawn: Spawn, environment: dict[str, str], number: signal.Signals
) -> None:
    daemon = spawn("start", "--source", f"clip={CLIP}")
    seen: list[object] = []
    with Subscriber(environment["ASRD_EVENTS"], once=True, timeout=20) as subscriber:
        for item in subscriber:
            seen.append(item)
            if isinstance(item, Partial) and item.stable and daemon.poll() is None and not _asked(seen):
                asked = time.monotonic()
                daemon.send_signal(number)
                seen.append("asked")
    assert daemon.wait(5) == 0
    assert time.monotonic() - asked < 5
    *_, final, stopped = [item for item in seen if isinstance(item, Final | Stopped)]  # a heartbeat may come between
    assert isinstance(final, Final)
    assert (final.reason, bool(final.text)) == ("end", True)
    assert isinstance(stopped, Stopped)
    assert stopped is seen[-1]
    assert stopped.reason == number.name
    assert not any(isinstance(item, Hole) for item in seen)


def test_what_nohup_ignores_stays_ignored(spawn: Spawn, run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        daemon = spawn("start", "--source", f"pcm:ipc://{tmp_path}/pcm")
    finally:
        signal.signal(signal.SIGHUP, before)
    listen_until(environment, Status)
    daemon.send_signal(signal.SIGHUP)
    assert run("stop").returncode == 0
    assert daemon.wait(5) == 0


def _asked(seen: list[object]) -> bool:
    return "asked" in seen


def test_readiness_is_announced_once_the_model_has_answered(
    spawn: Spawn, environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        daemon = spawn("start", "--source", f"pcm:ipc://{tmp_path}/pcm", NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert manager.recv(100).startswith(b"READY=1")
        state = Control(environment["ASRD_CONTROL"]).status()
        assert (state.backend, state.pid) == ("int8", daemon.pid)
        daemon.send_signal(signal.SIGINT)
        assert manager.recv(100).startswith(b"STOPPING=1")
        assert daemon.wait(5) == 0


def test_a_service_waits_for_a_microphone_that_is_not_there(
    spawn: Spawn, environment: dict[str, str], tmp_path: Path
) -> None:
    """systemd would not start it again after exit code 2."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        arguments = ("start", "--model", "asrd-tiny-en", "--source", "mic:NoSuch")
        daemon = spawn(*arguments, NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert manager.recv(100).startswith(b"READY=1")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(5) == 0
    assert daemon.stderr
    assert "; asrd waits for it\n" in daemon.stderr.read()


def last_line(daemon: "subprocess.Popen[str]") -> str:
    """Return the last line that it logged."""
    assert daemon.stderr
    return daemon.stderr.read().splitlines()[-1]


def test_status_backend_use_and_stop(spawn: Spawn, run: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    daemon = spawn("start", "--backend", "fp16", "--source", f"a=pcm:ipc://{tmp_path}/a", ASRD_NUMBERS="1")
    listen_until(environment, object)
    state = json.loads(run("status", "--json").stdout)
    assert (state["backend"], list(state["streams"])) == ("fp16", ["a"])
    assert run("backend", "use", "int8").returncode == 0
    shown = run("status").stdout
    assert "int8" in shown
    assert f"events   at {environment['ASRD_EVENTS']}\n" in shown
    assert "text     in sentences, numbers in digits, language en\n" in shown
    refused = run("backend", "use", "nothing")
    assert refused.returncode == 2
    assert refused.stderr.startswith("asrd: no backend is called 'nothing'")
    assert run("stop").returncode == 0
    assert daemon.wait(5) == 0
    assert last_line(daemon) == "asrd: stopped: asrd stop"


def test_a_paced_file_ends_the_daemon_when_it_ends(spawn: Spawn, environment: dict[str, str]) -> None:
    daemon = spawn("start", "--source", str(CLIP), "--pace", "fast")
    assert daemon.wait(30) == 0
    assert last_line(daemon) == "asrd: stopped: all sources ended"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--source", "file:/nowhere.wav"], 2, "no such file"),
        (["--source", "nowhere"], 2, "NAME="),
        (["--backend", "cuda", "--source", "pcm:-"], 2, "no backend is called 'cuda'"),
        (["--model", "no/such-model", "--source", "pcm:-"], 2, "asrd model pull no/such-model"),
        (["--hangover", "0", "--source", "pcm:-"], 2, "hangover"),
        (["--source", "pcm:ftp://x"], 2, "pcm:"),
        (["--events", "nonsense", "--source", "pcm:-"], 2, "is not an address"),
        (["--source", "a=pcm:-", "--source", "a=pcm:-"], 2, "called 'a'"),
        (["--lm", "/nowhere.bin", "--source", "pcm:-"], 2, "there is no language model '/nowhere.bin'"),
        (["--vad", "7"], 2, "no VAD is called '7'"),
        (["--check", "--device", "foo"], 2, "OpenVINO has no device 'foo' here; it has: "),
        (["--source", "mic:No Such Device"], 2, "asrd devices"),
    ],
)
def test_what_cannot_start_says_why_in_one_line(run: Run, arguments: list[str], code: int, message: str) -> None:
    result = run("start", *arguments)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def test_check_refuses_what_start_would(run: Run, bundled: ModelDirectory, tmp_path: Path) -> None:
    incomplete = shutil.copytree(bundled.path, tmp_path / "model", ignore=shutil.ignore_patterns("int8.bin"))
    model = run("start", "--check", "--model", incomplete)
    assert (model.returncode, model.stdout, "has no INT8 model at" in model.stderr) == (1, "", True)
    (tmp_path / "tape").mkdir(mode=0o755)
    (tmp_path / "tape" / "file").touch()
    record = run("start", "--check", "--record", tmp_path / "tape")
    assert (record.returncode, record.stdout, "is open to others" in record.stderr) == (1, "", True)


def test_a_port_in_use_is_named(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("start", "--source", "pcm:-", "--events", f"tcp://127.0.0.1:{port}")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert f"tcp://127.0.0.1:{port} is in use" in result.stderr


@pytest.mark.parametrize("arguments", ["--debug start", "start --debug"])
def test_debug_shows_the_traceback_on_either_side(run: Run, arguments: str) -> None:
    result = run(*arguments.split(), "--source", "file:/nowhere.wav")
    assert result.returncode == 2
    assert result.stderr.startswith("Traceback")
    assert result.stderr.splitlines()[-1].startswith("asrd: no such file: /nowhere.wav")


@pytest.mark.parametrize("arguments", ["--verbose start", "start -v", "start"])
def test_verbose_logs_utterances_on_either_side_but_not_what_was_said(run: Run, arguments: str) -> None:
    clip = bundled_speech("real")[0]
    result = run(*arguments.split(), "--source", f"desk={clip.audio}", "--pace", "fast")
    assert result.returncode == 0, result.stderr
    logged = re.findall(r"asrd: desk: utterance 0 (starts at 0\.\d+ s|ends at \d+\.\d+ s \(\w+\))", result.stderr)
    assert len(logged) == (0 if arguments == "start" else 2)
    assert not {word for word in clip.text.split() if len(word) > 5} & set(result.stderr.upper().split())


def test_check_shows_where_each_setting_comes_from(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config" / "asrd" / "asrd.toml"
    file.parent.mkdir(parents=True)
    file.write_text('hangover = 0.9\nsource = ["desk=pcm:-"]\nbackend = "torch"\n', encoding="utf-8")
    result = run("start", "--check", "--pre-roll", "0.5", ASRD_BACKEND="fp16")
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line.split()}
    assert result.returncode == 0, result.stderr
    assert rows["hangover"] == ["0.9", str(file)]
    assert rows["source"] == ["desk=pcm:-", str(file)]
    assert rows["backend"] == ["fp16", "$ASRD_BACKEND"]
    assert rows["pre-roll"] == ["0.5", "flag"]
    assert rows["min-speech"] == ["0.1", "default"]


def test_check_shows_values_whole_however_narrow_the_terminal(run: Run, tmp_path: Path) -> None:
    result = run("start", "--check", "--source", "desk=pcm:-", COLUMNS="60")
    assert "…" not in result.stdout
    assert str(tmp_path / "events") in "".join(result.stdout.split()).replace("$ASRD_EVENTS", "")


def test_a_list_of_addresses_serves_commands_that_take_one(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config" / "asrd" / "asrd.toml"
    file.parent.mkdir(parents=True)
    file.write_text('events = ["ipc:///one", "ipc:///two"]\nsource = "pcm:-"\n', encoding="utf-8")
    checked = run("start", "--check", ASRD_EVENTS="")
    assert "ipc:///one ipc:///two" in checked.stdout, checked.stderr
    assert "pcm:-" in checked.stdout
    assert "ipc:///one;" in run("listen", "--wait", "0.1", ASRD_EVENTS="").stderr


def test_a_misspelt_setting_in_a_file_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config" / "asrd" / "asrd.toml"
    file.parent.mkdir(parents=True)
    file.write_text("hangovr = 0.9\n", encoding="utf-8")
    result = run("start", "--check")
    assert result.returncode == 2
    assert "no setting 'hangovr'" in result.stderr


@pytest.mark.parametrize("command", [["status"], ["stop"], ["backend", "use", "fp16"]])
def test_asking_where_no_daemon_is(run: Run, command: list[str]) -> None:
    result = run(*command)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "no daemon answers at" in result.stderr
    assert "asrd start" in result.stderr


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 on the loopback interface")
def test_everything_is_reached_over_ipv6(spawn: Spawn) -> None:
    ports = []
    for _ in range(4):
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as one:
            ports.append(one.getsockname()[1])
    events, control, audio, _ = [f"tcp://[::1]:{port}" for port in ports]
    clip = np.concatenate([*read_blocks(bundled_speech("real")[0].audio)])
    listening = ("--events", events, "--control", control, "--metrics", f"[::1]:{ports[3]}")
    daemon = spawn("start", "--model", "asrd-tiny-en", "--source", f"call=pcm:{audio}", *listening)
    with Subscriber(events, timeout=60) as subscriber:
        next(iter(subscriber))
        assert Control(control).status().streams["call"].open
        with Sender(audio, waits=True) as sender:
            sender.send(clip)
        assert next(event for event in subscriber if isinstance(event, Final)).text
    with urllib.request.urlopen(f"http://[::1]:{ports[3]}/metrics") as metrics:
        assert b"asrd_" in metrics.read()
    Control(control).stop()
    assert daemon.wait(10) == 0


def test_a_hangover_moves_its_bounds_unless_they_are_given(run: Run) -> None:
    chosen = run("start", "--hangover", "1.5", "--check")
    assert chosen.returncode == 0, chosen.stderr
    refused = run("start", "--hangover", "1.5", "--max-hangover", "1", "--check")
    assert refused.returncode == 2
    assert "must lie within its bounds, 0.3 and 1 s" in refused.stderr


def test_a_variable_that_is_no_setting_is_told(run: Run) -> None:
    clip = bundled_speech("real")[0].audio
    daemon = run("start", "--model", "asrd-tiny-en", "-s", clip, "--pace", "fast", ASRD_BACKNED="fp16")
    assert daemon.returncode == 0
    assert "ASRD_BACKNED is no setting; the nearest: ASRD_BACKEND" in daemon.stderr

"""`asrd key` makes keys, and daemons are open to other machines only on purpose."""

import json
from collections import deque
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from asrd.clients import Subscriber
from asrd.clients.sender import Sender
from asrd.core.errors import TransportError
from asrd.core.events import Final, Gap
from asrd.core.key import find
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

from .conftest import Run, Spawn, unused_port


def test_a_daemon_with_a_key_answers_who_has_it_and_nobody_else(
    spawn: Spawn, run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    made = run("key", "new")
    assert made.stdout.startswith(f"{tmp_path}/config/asrd/asrd.key: copy it to each client over a secure channel")
    shown = run("key", "show")
    key = find(tmp_path / "config" / "asrd" / "asrd.key")
    assert key
    assert shown.stdout == f"{key.public}  {key.path}\n"

    ports = [unused_port(), unused_port()]
    open_to_all = [f"tcp://0.0.0.0:{port}" for port in ports]
    daemon = spawn(
        *("start", "-s", f"pcm:ipc://{tmp_path}/pcm", "--events", open_to_all[0], "--control", open_to_all[1])
    )
    with Subscriber(open_to_all[0], once=True, timeout=30, key=key.path) as events:
        next(iter(events))
    control = f"tcp://127.0.0.1:{ports[1]}"
    assert "process" in run("status", "--control", control).stdout
    stranger = run("status", "--control", control, ASRD_KEY="none")
    assert (stranger.returncode, stranger.stderr) == (
        1,
        f"asrd: what listens at {control} requires a key, or is not an asrd daemon; copy its key to {key.path}\n",
    )
    assert run("stop", "--control", control).returncode == 0
    assert daemon.wait(10) == 0


def test_a_daemon_is_not_opened_to_the_network_by_mistake(run: Run, tmp_path: Path) -> None:
    exposed = (["--events", "tcp://*:7007"], ["--control", "tcp://0.0.0.0:7008"], ["-s", "pcm:tcp://0.0.0.0:7000"])
    for flags, check in zip(exposed, ([], ["--check"], ["--check"]), strict=True):
        refused = run("start", "-s", f"quiet=pcm:ipc://{tmp_path}/pcm", *flags, *check)
        assert refused.returncode == 2
        assert "would be open to everyone on the network" in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert run("start", *chain.from_iterable(exposed), "--check", "--insecure").returncode == 0


def test_no_key_and_no_such_key_are_told(run: Run, tmp_path: Path) -> None:
    assert run("key", "show").stderr.startswith("asrd: there is no key; make one with 'asrd key new'")
    assert run("start", "--check", "--key", tmp_path / "none").returncode == 2
    made = run("key", "new", "-o", tmp_path / "own")
    assert made.returncode == 0
    again = run("key", "new", "-o", tmp_path / "own")
    assert (again.returncode, again.stdout) == (2, "")
    assert "is there already" in again.stderr


def test_a_daemon_that_is_open_to_all_says_so(run: Run) -> None:
    clip = bundled("real")[0].audio
    heard = run(
        "start", "-s", f"file:{clip}", "--pace", "fast", "--events", f"tcp://0.0.0.0:{unused_port()}", "--insecure"
    )
    assert heard.returncode == 0
    assert "whoever reaches its ports may connect" in heard.stderr


def test_clients_are_made_listed_and_revoked(run: Run, tmp_path: Path) -> None:
    missing = run("key", "new", "desk", "-o", tmp_path / "desk.key")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    run("key", "new")
    made = run("key", "new", "desk", "--role", "speak", "--role", "listen", "-o", tmp_path / "desk.key")
    assert made.stdout.startswith(f"{tmp_path}/desk.key: move it to desk over a secure channel")
    assert made.stderr == "desk may listen and speak; a daemon that runs needs 'asrd reload'\n"
    run("key", "new", "a" * 32, "--role", "control", "-o", tmp_path / "a.key")
    listed = run("key", "list").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [["name", "roles"], ["desk", "listen"], ["a" * 32, "control"]]
    assert max(map(len, listed)) <= 80
    first = json.loads(run("key", "list", "--json").stdout.splitlines()[0])
    assert (first["name"], first["roles"], first["fingerprint"]) == ("desk", ["listen", "speak"], listed[1].split()[-1])
    gone = run("key", "revoke", "desk")
    assert first["fingerprint"] in gone.stderr
    again = run("key", "revoke", "desk")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert run("key", "new", "../x").returncode == 2
    assert "desk" not in run("key", "list").stdout
    started = run("start", "--check", "--key", tmp_path / "desk.key")
    assert started.returncode == 2
    assert "is a client's key" in started.stderr


@pytest.mark.slow
def test_a_reload_lets_clients_in_and_out_without_lost_audio(
    spawn: Spawn, run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    run("key", "new")
    desk, late = tmp_path / "desk.key", tmp_path / "late.key"
    run("key", "new", "desk", "-o", desk)
    events, control = (f"tcp://127.0.0.1:{unused_port()}" for _ in range(2))
    pcm = f"ipc://{tmp_path}/pcm"
    daemon = spawn("start", "-s", f"pcm:{pcm}", "--events", events, "--control", control)
    clip = [*read_blocks(bundled("real")[0].audio)]
    with (
        Subscriber(events, once=True, timeout=30, key=desk) as ends,
        Subscriber(events, once=True, timeout=30, key=tmp_path / "config" / "asrd" / "asrd.key") as stays,
    ):
        hears, out = iter(stays), iter(ends)
        next(hears), next(out)
        refused = run("stop", "--control", control, ASRD_KEY=str(desk))
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "this key may listen only" in refused.stderr
        assert "process" in run("status", "--control", control, ASRD_KEY=str(desk)).stdout
        with Sender(pcm, waits=True) as sender:
            sender.send(np.concatenate(clip[: len(clip) // 2]))
            run("key", "revoke", "desk")
            run("key", "new", "late", "-o", late)
            assert "1 client" in run("reload", "--control", control).stdout
            sender.send(np.concatenate([*clip[len(clip) // 2 :], np.zeros(2 * SAMPLE_RATE, np.float32)]))
        with Subscriber(events, once=True, timeout=30, key=late) as new:
            next(iter(new))
        heard = []
        while not any(isinstance(event, Final) for event in heard):
            heard.append(next(hears))
        assert not [event for event in heard if isinstance(event, Gap)]
        with pytest.raises(TransportError, match="does not take the key"):
            deque(out, maxlen=0)
    assert run("stop", "--control", control).returncode == 0
    assert daemon.wait(10) == 0

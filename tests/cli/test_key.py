"""`asrd key` makes keys, and daemons are open to other machines only on purpose."""

from itertools import chain
from pathlib import Path

from asrd.clients import Subscriber
from asrd.core.key import find
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
    made = run("key", "new", tmp_path / "own")
    assert made.returncode == 0
    again = run("key", "new", tmp_path / "own")
    assert (again.returncode, again.stdout) == (2, "")
    assert "is there already" in again.stderr


def test_a_daemon_that_is_open_to_all_says_so(run: Run) -> None:
    clip = bundled("real")[0].audio
    heard = run(
        "start", "-s", f"file:{clip}", "--pace", "fast", "--events", f"tcp://0.0.0.0:{unused_port()}", "--insecure"
    )
    assert heard.returncode == 0
    assert "whoever reaches its ports may connect" in heard.stderr

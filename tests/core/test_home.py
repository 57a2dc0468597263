"""A process without a home has places where nothing is, and its commands go on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asrd.core import home

COMMANDS = (
    ["listen", "--help"],
    ["status"],
    ["model", "list"],
    ["start", "--check", "-s", "pcm:tcp://127.0.0.1:17999"],
)


def test_a_home_is_used_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, find in (
        ("XDG_CONFIG_HOME", home.config),
        ("XDG_DATA_HOME", home.data),
        ("XDG_CACHE_HOME", home.cache),
        ("XDG_STATE_HOME", home.state),
    ):
        monkeypatch.setenv(variable, str(tmp_path / variable))
        assert find() == tmp_path / variable / "asrd"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("~/a.wav", "/home/me/a.wav"),
        ("--record=~/tape", "--record=/home/me/tape"),
        ("desk=file:~/a~/b.wav", "desk=file:/home/me/a~/b.wav"),
        ("pcm:ipc://~/audio", "pcm:ipc:///home/me/audio"),
        ("~you/a.wav", "~you/a.wav"),
        ("what~/ever", "what~/ever"),
    ],
)
def test_a_path_may_begin_at_home_wherever_it_is_typed(text: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert home.expanded(text) == path


def test_flags_and_variables_may_hold_paths_at_home(tmp_path: Path) -> None:
    places = {"HOME": str(tmp_path), "COLUMNS": "200", "ASRD_JOURNAL": "~/journal"}
    command = [sys.executable, "-m", "asrd.cli.main", "start", "--check", "-s", "pcm:ipc://~/pcm", "--record=~/tape"]
    checked = subprocess.run(command, env=os.environ | places, capture_output=True, text=True, check=True)
    rows = {line.split()[0]: line.split()[1] for line in checked.stdout.splitlines() if line.split()}
    assert rows["source"] == f"pcm:ipc://{tmp_path}/pcm"
    assert (rows["record"], rows["journal"]) == (f"{tmp_path}/tape", f"{tmp_path}/journal")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_no_home_is_no_traceback(command: list[str]) -> None:
    """An unknown user id, as containers have it; Python itself then finds no home either."""
    without = "import os, pwd; os.environ.pop('HOME', None); pwd.getpwuid = lambda _: (_ for _ in ()).throw(KeyError())"
    code = f"{without}\nimport sys\nfrom asrd.cli.main import main\nsys.argv = {['asrd', *command]!r}\nmain()"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (0, 1, 2), done.stderr
    assert "home directory" not in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1

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

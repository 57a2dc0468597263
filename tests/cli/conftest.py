"""Run the command as people do: in a process of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Spawn = Callable[..., "subprocess.Popen[str]"]


def unused_port() -> int:
    """A TCP port that is free on all of this machine's addresses."""
    with socket.socket() as one:
        one.bind(("0.0.0.0", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own, so that the user's settings and sockets do not matter."""
    own = {
        "HOME": str(tmp_path),
        "ASRD_EVENTS": f"ipc://{tmp_path}/events",
        "ASRD_CONTROL": f"ipc://{tmp_path}/control",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "COLUMNS": "300",
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("ASRD_")} | own


@pytest.fixture
def spawn(environment: dict[str, str]) -> Iterator[Spawn]:
    """Start `asrd …`; what is still running at the end of the test is terminated."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path, **more: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "asrd.cli.main", *map(str, arguments)],
            env=environment | more,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run(spawn: Spawn) -> Run:
    """Run `asrd …` to its end."""

    def complete(*arguments: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
        process = spawn(*arguments, **more)
        output, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    return complete

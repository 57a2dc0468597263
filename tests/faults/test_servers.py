"""A model server that goes away in mid-speech costs no word: a backend of asrd's own takes over."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from asrd.core.events import AnyEvent, Error, Final, Gap, Partial
from asrd.core.events import Backend as Switched
from asrd.models import ModelDirectory

from .conftest import Victim
from .speech import playing, sentences

STANDIN = Path(__file__).parents[1] / "backends" / "standin.py"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the fallback hears by itself."""
    return texts(hear(tmp_path_factory.mktemp("expected"), None, "--backend", "int8"))


def hear(folder: Path, server: "subprocess.Popen[str] | None", *arguments: str) -> list[AnyEvent]:
    """Return what a daemon publishes that hears two sentences. The server is killed in the second one."""
    victim = Victim(folder, *arguments)
    finals = 0
    try:
        with victim.events() as events, playing(f"ipc://{victim.paths['audio']}", sentences(2), speed=3.0):
            while finals < 2:
                event = next(events)
                finals += isinstance(event, Final)
                if server and finals and isinstance(event, Partial):
                    server.kill()
        victim.control.stop()
        assert victim.process.wait(20) == 0, victim.log
    finally:
        victim.end()
    return victim.published()


def texts(events: list[AnyEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Final)]


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_the_server_is_killed(tmp_path: Path, tiny: ModelDirectory, expected: list[str], transport: str) -> None:
    command = [sys.executable, str(STANDIN), str(tiny.path), "int8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            address = json.loads(server.stdout.readline())[transport]
            events = hear(tmp_path, server, "--backend", "kserve", "--model-server", address)
        finally:
            server.kill()
    assert not [event for event in events if isinstance(event, Gap)]
    assert texts(events) == expected
    first, second = [event.message for event in events if isinstance(event, Error)]
    assert first.startswith("backend kserve failed; the window is tried again: ")
    assert second.startswith("backend kserve failed twice; int8 replaces it until 'asrd backend use kserve'")
    assert [(event.previous, event.name) for event in events if isinstance(event, Switched)][-1] == ("kserve", "int8")

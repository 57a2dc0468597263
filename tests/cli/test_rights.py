"""Files that belong to others are reported as such, before any work is done."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asrd.cli.transcribe import transcribe
from asrd.cli.values import NewFile
from asrd.clients import Control
from asrd.core.errors import AsrdError, AudioError, ModelError, TransportError
from asrd.daemon.sources.files import duration
from asrd.quant.workspace import check_output

NOBODY = 65_534


@contextmanager
def without_rights() -> Iterator[None]:
    """Become a user who owns nothing, where root runs the tests."""
    root = os.geteuid() == 0
    if root:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everyone may enter, unlike pytest's own, and nobody may write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        (path / "closed").mkdir()
        (path / "closed").chmod(0o555)
        yield path
        (path / "closed").chmod(0o755)


def test_a_file_is_told_when_its_turn_comes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place))
    file = place / "secret.wav"
    file.touch()
    file.chmod(0)
    with without_rights():
        context = transcribe.make_context("transcribe", [str(file)])
        with pytest.raises(AudioError, match="is not yours to read"):
            duration(file)
    assert context.params["files"] == (file,)


@pytest.mark.parametrize("name", ["report.html", "model"])
def test_a_place_to_write_in(place: Path, name: str) -> None:
    path = place / "closed" / name
    with without_rights():
        with pytest.raises(AsrdError, match="is not yours to write"):
            NewFile().convert(str(path), None, None)
        with pytest.raises(ModelError, match=rf"{place / 'closed'} is not yours to write"):
            check_output(path / "deeper")


def test_a_daemon_of_others(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(place / "control"))
        daemon.listen()
        (place / "control").chmod(0o500)
        with without_rights(), pytest.raises(TransportError, match=f"is not yours to open; join the group of {place}"):
            Control(f"ipc://{place / 'control'}", timeout=1).status()

"""`asrd journal` reads and deletes what a daemon keeps, while it runs and afterwards."""

import json
import stat
from pathlib import Path

import pytest

from asrd.core.events import Gap
from asrd.daemon.journal.store import Store

from ..clients.service import serving
from .conftest import Run

GAP = Gap(start=16_000, end=24_000, reason="the microphone was late")


def test_events_are_shown_and_exported_also_while_the_daemon_runs(run: Run, tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        service.publish("one", GAP)
        shown = run("journal", "show", "--journal", tmp_path / "journal.sqlite")
        service.publish("two")
    assert shown.returncode == 0, shown.stderr
    lines = [line.split(maxsplit=4) for line in shown.stdout.splitlines()]
    assert [(line[0], line[3], line[4]) for line in lines] == [
        ("0", "a", "error: one"),
        ("1", "a", "gap 1.00-1.50 s: the microphone was late"),
    ]
    exported = run("journal", "export", "--journal", tmp_path, "--type", "error", "--since", "1", "--stream", "a")
    assert [json.loads(line)["message"] for line in exported.stdout.splitlines()] == ["two"]
    none = run("journal", "export", "--journal", tmp_path, "--stream", "b")
    assert (none.returncode, none.stdout) == (0, "")


def test_what_is_deleted_is_gone(run: Run, tmp_path: Path) -> None:
    """Also from the file's bytes."""
    file = tmp_path / "journal.sqlite"
    with serving(tmp_path) as service:
        service.publish("a secret", "another")
        with Store(file) as store:
            store.commit([("UPDATE events SET time = 0 WHERE seq = 0", ())])
        aged = run("journal", "prune", "--journal", file, "--days", "1")
        assert (aged.returncode, aged.stderr) == (0, "asrd: 1 events deleted\n")
        service.publish("third")
    shown = run("journal", "show", "--journal", file)
    assert shown.stderr == "asrd: events 0 to 0 are lost or deleted\n"
    assert [line.rpartition(": ")[2] for line in shown.stdout.splitlines()] == ["another", "third"]
    assert run("journal", "prune", "--journal", file, "--all").stderr == "asrd: 2 events deleted\n"
    assert run("journal", "show", "--journal", file).stdout == ""
    assert b"secret" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with serving(tmp_path) as service:
        assert service.publisher.history.journal.first >= 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["show", "--journal", "/nowhere/j.sqlite"], 2, "there is no journal at /nowhere/j.sqlite"),
        (["export"], 2, "there is no journal at"),
        (["show", "--journal", "{file}", "--since", "nonsense"], 2, "--since takes a time"),
        (["show", "--journal", "{file}"], 1, "cannot be used: file is not a database"),
        (["prune", "--journal", "{file}"], 2, "say what to delete"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(
    run: Run, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    file = tmp_path / "bad.sqlite"
    file.write_bytes(b"no journal" * 1000)
    if "nonsense" in arguments:
        with serving(tmp_path):
            file = tmp_path / "journal.sqlite"
    result = run("journal", *(argument.format(file=file) for argument in arguments))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (code, "", 1)
    assert message in result.stderr

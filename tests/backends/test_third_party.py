"""A backend from a separate distribution, installed by pip, works like asrd's own."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from asrd.backends import BackendStatus
from asrd.cli.backend import _table
from tests.installing import install

TOY = Path(__file__).parent / "toy"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a process that has the toy distribution installed beside asrd."""
    return install(TOY, tmp_path_factory.mktemp("toy"))


def run(command: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def asrd(*arguments: str, environment: dict[str, str]) -> str:
    return run([sys.executable, "-m", "asrd.cli.main", *arguments], environment).stdout


def test_it_is_listed_and_faults_are_reasons(toy: dict[str, str]) -> None:
    listed = {entry["name"]: entry for entry in json.loads(asrd("backend", "list", "--json", environment=toy))}
    assert {"torch", "fp16", "int8"} <= set(listed)
    facts = {"name": "toy", "distribution": "toy-asrd 1.2.3", "problem": "", "remedy": "", "ready": True}
    assert listed["toy"] == facts
    reasons = {
        "raises": "cannot be imported: the licence server",
        "vanished": "cannot be imported: No module named 'toy_asrd.vanished'",
        "stranger": "is not a subclass of asrd.backends.Backend",
        "hollow": "does not define infer",
        "needy": "needs the module 'no_such_runtime.core', which is not installed",
    }
    for name, says in reasons.items():
        assert not listed[name]["ready"]
        assert listed[name]["problem"].endswith(says)


def test_the_table_for_people_shows_the_same(toy: dict[str, str]) -> None:
    table = asrd("backend", "list", environment={**toy, "COLUMNS": "200"})
    assert "toy-asrd 1.2.3" in table
    assert "the licence server" in table
    assert "ready" in table


def test_the_table_shows_brackets_as_they_are() -> None:
    console = Console(width=120, file=StringIO())
    console.print(_table([BackendStatus("torch", "asrd 1", "pip install '.[torch]'")]))
    assert "pip install '.[torch]'" in console.file.getvalue()


def test_it_passes_the_conformance_class_in_its_own_suite(toy: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--rootdir", str(TOY)]
    result = run([*command, "-c", str(TOY / "pyproject.toml"), str(TOY / "check_toy.py")], toy)
    assert "12 passed" in result.stdout


def test_a_name_claimed_twice_is_a_fault_of_both(toy: dict[str, str], tmp_path: Path) -> None:
    rival = tmp_path / "rival-1.0.dist-info"
    rival.mkdir()
    (rival / "METADATA").write_text("Metadata-Version: 2.1\nName: rival\nVersion: 1.0\n", encoding="utf-8")
    (rival / "entry_points.txt").write_text("[asrd.backends]\ntoy = json:loads\n", encoding="utf-8")
    both = {**toy, "PYTHONPATH": os.pathsep.join([toy["PYTHONPATH"], str(tmp_path)])}
    listed = {entry["name"]: entry for entry in json.loads(asrd("backend", "list", "--json", environment=both))}
    assert "both register a backend 'toy'" in listed["toy"]["problem"]
    assert "rival 1.0" in listed["toy"]["distribution"]

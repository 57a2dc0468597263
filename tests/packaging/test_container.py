"""The Containerfile copies what a wheel needs, and runs commands that asrd takes, as a user who is not root.

It is not built here.
"""

import json
import re
from pathlib import Path

import click
import pytest

from asrd.cli.main import asrd

ROOT = Path(__file__).parents[2]
LINES = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text(encoding="utf-8")).splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]
PACKAGES = {path.name for path in (ROOT / "src" / "asrd").iterdir() if path.is_symlink()}


def steps(kind: str) -> list[str]:
    return [rest for name, rest in STEPS if name == kind]


def test_every_step_is_one_that_builders_know() -> None:
    known = {
        "FROM",
        "RUN",
        "WORKDIR",
        "COPY",
        "ENV",
        "USER",
        "VOLUME",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert {name for name, _ in STEPS} <= known
    assert [name for name, _ in STEPS].count("FROM") == 2


def test_it_copies_every_package_and_nothing_that_is_not_there() -> None:
    copied = [path for step in steps("COPY") if "--from" not in step for path in step.split()[:-1]]
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert PACKAGES | {"src", "pyproject.toml", "README.md", "LICENSE", "constraints.txt"} == set(copied)


@pytest.mark.parametrize(
    "arguments", [json.loads(steps("CMD")[0]), json.loads(steps("HEALTHCHECK")[0].split("CMD ")[1])]
)
def test_its_commands_are_ones_that_asrd_takes(arguments: list[str]) -> None:
    assert json.loads(steps("ENTRYPOINT")[0]) == ["asrd"]
    name, *rest = [word for word in arguments if word != "asrd"]
    command = asrd.get_command(click.Context(asrd), name)
    assert command
    command.make_context(name, rest)


def test_the_daemon_is_not_root_and_keeps_all_in_its_volumes() -> None:
    assert steps("USER") == ["10001"]
    volumes = json.loads(steps("VOLUME")[0])
    places = dict(part.split("=", 1) for part in steps("ENV")[-1].split())
    for kind in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        assert any(f"{places[kind]}/asrd".startswith(volume) for volume in volumes)

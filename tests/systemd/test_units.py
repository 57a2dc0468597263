"""systemd itself checks the unit files, and the command lines in them."""

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from asrd.cli.main import asrd
from asrd.daemon.scheduling.scheduler import MAX_WAIT
from asrd.daemon.transport.descriptors import WANTED

FOLDER = Path(__file__).parents[2] / "systemd"
UNITS = {"system": FOLDER / "asrd.service", "user": FOLDER / "user" / "asrd.service"}
ASRD = Path(sys.executable).with_name("asrd")

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def service(path: Path) -> configparser.SectionProxy:
    unit = configparser.RawConfigParser(comment_prefixes=("#",), delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(path)
    return unit["Service"]


def verify(path: Path, flavour: str) -> str:
    """Return systemd's complaints about a unit file."""
    command = ["systemd-analyze", "verify", f"--{flavour}", "--man=no", str(path)]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return "\n".join(line for line in result.stderr.splitlines() if path.name in line)


@pytest.fixture
def installed(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The unit with the path of the installed asrd: systemd checks that the program exists."""
    unit = UNITS[request.param]
    program = shlex.split(service(unit)["ExecStart"])[0]
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text(encoding="utf-8").replace(f"ExecStart={program}", f"ExecStart={ASRD}"))
    return copy


@needs_systemd
@pytest.mark.parametrize(("installed", "flavour"), [(name, name) for name in UNITS], indirect=["installed"])
def test_systemd_finds_no_fault(installed: Path, flavour: str) -> None:
    assert verify(installed, flavour) == ""


@needs_systemd
@pytest.mark.parametrize("installed", ["system"], indirect=True)
def test_systemd_would_find_a_fault(installed: Path) -> None:
    installed.write_text(installed.read_text(encoding="utf-8").replace("Restart=on-failure", "Restart=sometimes"))
    assert "sometimes" in verify(installed, "system")


@needs_systemd
@pytest.mark.parametrize("installed", ["system"], indirect=True)
def test_a_machine_s_service_has_few_rights(installed: Path) -> None:
    """systemd's own score is 10 for all rights and 0 for none."""
    options = subprocess.run(["systemd-analyze", "--help"], capture_output=True, encoding="utf-8", check=True).stdout
    if "--offline" not in options:
        pytest.skip("systemd 250 was the first to measure a file")
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=30", "--no-pager", str(installed)]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("flavour", UNITS)
def test_settings_in_files_are_not_overruled_by_the_unit(flavour: str) -> None:
    """A flag would override asrd.toml, where the unit says that settings belong."""
    _, _, *arguments = shlex.split(service(UNITS[flavour])["ExecStart"])
    assert arguments == []


@pytest.mark.parametrize("flavour", UNITS)
def test_the_command_line_is_one_that_asrd_takes(flavour: str) -> None:
    _, name, *arguments = shlex.split(service(UNITS[flavour])["ExecStart"])
    command = asrd.get_command(click.Context(asrd), name)
    assert command is not None
    params = command.make_context(name, arguments).params
    assert (params["backend"], list(params["source"])) == ("int8", ["mic"])


@pytest.mark.parametrize("flavour", UNITS)
def test_readiness_and_restarts(flavour: str) -> None:
    unit = service(UNITS[flavour])
    assert unit["Type"] == "notify"
    assert unit["Restart"] == "on-failure"
    assert 5 <= int(unit["TimeoutStopSec"]) <= 10
    assert int(unit["WatchdogSec"]) >= 3 * MAX_WAIT


@pytest.mark.parametrize("flavour", UNITS)
def test_the_journal_has_a_place(flavour: str) -> None:
    assert service(UNITS[flavour])["StateDirectory"] == "asrd"


@pytest.mark.parametrize("flavour", UNITS)
def test_as_many_files_as_the_daemon_asks_for(flavour: str) -> None:
    assert int(service(UNITS[flavour])["LimitNOFILE"]) == WANTED

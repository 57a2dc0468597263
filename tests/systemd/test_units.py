"""systemd itself checks the unit files, and the command lines in them."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from asrd.cli import install_service, units
from asrd.cli.main import asrd
from asrd.core.addresses import control_address, events_address
from asrd.core.errors import UsageError
from asrd.daemon.scheduling.scheduler import MAX_WAIT
from asrd.daemon.transport.descriptors import WANTED

UNITS = {flavour: Path(units.__file__).with_name(f"{flavour}.service") for flavour in units.FLAVOURS}
ASRD = Path(sys.executable).with_name("asrd")

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def service(path: Path) -> configparser.SectionProxy:
    unit = configparser.RawConfigParser(comment_prefixes=("#",), delimiters=("=",), strict=False)
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
    """The unit of a flavour, as it is installed."""
    (tmp_path / "asrd.service").write_text(units.unit(request.param, str(ASRD)), encoding="utf-8")
    return tmp_path / "asrd.service"


@needs_systemd
@pytest.mark.parametrize(("installed", "flavour"), [(name, name) for name in UNITS], indirect=["installed"])
def test_systemd_finds_no_fault(installed: Path, flavour: str) -> None:
    assert verify(installed, flavour) == ""


@needs_systemd
@pytest.mark.parametrize("flavour", units.FLAVOURS)
def test_systemd_finds_no_fault_with_sockets_and_their_service(flavour: str, tmp_path: Path) -> None:
    for name, text in (
        ("asrd.service", units.kept(units.unit(flavour, str(ASRD)))),
        ("asrd.socket", units.socket(flavour)),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert verify(tmp_path / "asrd.socket", flavour) == ""
    (tmp_path / "asrd.socket").write_text(
        units.socket(flavour).replace("SocketMode=0", "SocketMode=x"), encoding="utf-8"
    )
    assert "mode value" in verify(tmp_path / "asrd.socket", flavour)


@pytest.mark.parametrize("flavour", units.FLAVOURS)
def test_sockets_are_where_the_daemon_binds(flavour: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And they stay when the service ends: its directory does."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", "%t/asrd")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    opened = re.findall("^ListenStream=(.*)$", units.socket(flavour), re.M)
    assert [f"ipc://{path}" for path in opened] == [events_address(own=True), control_address(own=True)]
    service = units.kept(units.unit(flavour, str(ASRD)))
    assert "\nRuntimeDirectory=asrd\nRuntimeDirectoryPreserve=yes\n" in service


@needs_systemd
@pytest.mark.parametrize("installed", ["system"], indirect=True)
def test_systemd_would_find_a_fault(installed: Path) -> None:
    installed.write_text(
        installed.read_text(encoding="utf-8").replace("Restart=on-failure", "Restart=sometimes"), encoding="utf-8"
    )
    assert "sometimes" in verify(installed, "system")


@needs_systemd
@pytest.mark.parametrize(
    ("installed", "flavour", "exposure"), [("system", "system", 1.5), ("user", "user", 1.9)], indirect=["installed"]
)
def test_the_service_has_few_rights(installed: Path, flavour: str, exposure: float, tmp_path: Path) -> None:
    """systemd's own score is 10 for all rights and 0 for none. It takes the user of a user's unit for root, which
    counts 0.4.
    """
    options = subprocess.run(["systemd-analyze", "--help"], capture_output=True, encoding="utf-8", check=True).stdout
    if "--offline" not in options:
        pytest.skip("systemd 250 was the first to measure a file")
    command = [
        *("systemd-analyze", "security", f"--{flavour}", "--offline=yes", "--no-pager"),
        *(f"--threshold={exposure * 10:.0f}", str(installed)),
    ]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("flavour", UNITS)
def test_a_template_differs_in_places_and_settings(flavour: str) -> None:
    one, many = (make(flavour, str(ASRD)).splitlines() for make in (units.unit, units.template))
    assert [line for line in many if line not in one] == [
        "Description=Streaming speech to text (%i)",
        "EnvironmentFile=%E/asrd/%i.env",
        "RuntimeDirectory=asrd-%i",
        "StateDirectory=asrd-%i",
    ]


@pytest.mark.parametrize("flavour", units.FLAVOURS)
def test_units_are_written_where_systemd_looks(flavour: str, tmp_path: Path) -> None:
    options = ["--user"] if flavour == "user" else ["--to", str(tmp_path / "systemd" / "user")]
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "asrd.cli.main", "install-service", "--socket", *options]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)
    assert result.returncode == 0, result.stderr
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "systemd" / "user").iterdir()}
    assert written == {
        "asrd.service": units.kept(units.unit(flavour, str(ASRD))),
        "asrd@.service": units.template(flavour, str(ASRD)),
        "asrd.socket": units.socket(flavour),
    }
    assert ("systemctl --user enable" in result.stdout) == (flavour == "user")
    assert result.stdout.endswith("enable --now asrd.socket asrd\n")


def test_the_machines_service_is_not_one_in_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is installed for the machine by `sudo make install PREFIX=/usr/local`."""
    monkeypatch.setattr(install_service, "_program", lambda: "/home/me/.local/share/asrd-venv/bin/asrd")
    monkeypatch.setattr(install_service, "SYSTEM", tmp_path)
    refused = CliRunner().invoke(install_service.install_service)
    assert isinstance(refused.exception, UsageError)
    assert "which is in a home; install it for all: sudo make install PREFIX=/usr/local" in str(refused.exception)
    assert not list(tmp_path.iterdir())


def test_a_place_that_is_not_ours_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "asrd.cli.main", "install-service", "--to", str(tmp_path / "file" / "deeper")]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "use sudo, or --user" in result.stderr


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
    assert (params["backend"], list(params["source"])) == (None, ["mic"])


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

"""`asrd install-service`: put the unit for systemd in its place."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from asrd.cli.say import echo
from asrd.cli.units import kept, socket, template, unit
from asrd.core.errors import AsrdError, UsageError

SYSTEM = Path("/etc/systemd/system")

HOMES = ("/home/", "/root/")
"""Where the machine's service may not look: `ProtectHome=`."""


@click.command("install-service")
@click.option("--user", is_flag=True, help="For yourself, started at login, not for the machine.")
@click.option(
    "--socket", "sockets", is_flag=True, help="Let systemd open the sockets, before asrd runs and between runs."
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the units to this directory, not to where systemd looks for them.",
)
def install_service(user: bool, sockets: bool, folder: Path | None) -> None:
    """Install asrd as a service of systemd: write its units, check them, and say what to do next.

    asrd@.service is for several daemons, each with a name: asrd@NAME reads its settings, as ASRD_* variables, from
    NAME.env in the directory of asrd.toml.

    With --socket, clients that connect while asrd starts or restarts wait instead of failing, and the first one starts
    it. Such sockets are Unix sockets in the runtime directory; asrd.socket says which.

    \b
    Examples:
      sudo asrd install-service
      asrd install-service --user --socket
    """
    flavour = "user" if user else "system"
    place = folder or (_of_user() if user else SYSTEM)
    program = _program()
    if place == SYSTEM and program.startswith(HOMES):
        remedy = "install it for all: sudo make install PREFIX=/usr/local"
        raise UsageError(f"the machine's service cannot run {program}, which is in a home; {remedy}")
    texts = {"asrd.service": unit(flavour, program), "asrd@.service": template(flavour, program)}
    if sockets:
        texts |= {"asrd.service": kept(texts["asrd.service"]), "asrd.socket": socket(flavour)}
    if complaint := _verify(flavour, texts):
        raise AsrdError(f"systemd would not take its units: {complaint}")
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{place} is not yours to write ({error.strerror}); use sudo, or --user for a service of your own"
        ) from error
    first, *others = texts
    echo(f"wrote {place / first} and {', '.join(others)}", err=True)
    manager = "systemctl --user" if user else "systemctl"
    if not user:
        echo("useradd --system --user-group --home-dir /var/lib/asrd --shell /usr/sbin/nologin asrd")
        echo("usermod --append --groups asrd YOU    # who may listen; then log in again")
    echo(f"{manager} daemon-reload && {manager} enable --now {'asrd.socket ' if sockets else ''}asrd")


def _of_user() -> Path:
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(settings) / "systemd" / "user"


def _program() -> str:
    """Return the path of asrd's own command. Raises UsageError for one that a unit cannot name."""
    program = Path(sys.executable).with_name("asrd")
    if not program.is_file() or any(one in str(program) for one in " %$\"'\\"):
        raise UsageError(f"{program} cannot be run by systemd; install asrd in an environment with a plain path")
    return str(program)


def _verify(flavour: str, texts: Mapping[str, str]) -> str:
    """Return the first complaint of systemd about units; "" if there is none, or no systemd."""
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in texts]
        for path in paths:
            path.write_text(texts[path.name], encoding="utf-8")
        command = [analyze, "verify", f"--{flavour}", "--man=no", *map(str, paths)]
        environment = {"XDG_RUNTIME_DIR": folder} | os.environ
        result = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)
    return next((line for line in result.stderr.splitlines() if any(name in line for name in texts)), "")

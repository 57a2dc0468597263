"""Install distributions of third parties beside asrd."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check")


def install(distribution: Path, folder: Path) -> dict[str, str]:
    """Install a distribution from its source into a new folder; return the environment of a process that has it."""
    source = shutil.copytree(distribution, folder / "source")  # building writes into the source
    command = [sys.executable, "-m", "pip", "install", *OFFLINE, "--target", str(folder / "site"), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "site"), *([others] if others else [])])}

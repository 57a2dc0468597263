"""Distributions of third parties, installed beside asrd."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check")


def install(distribution: Path, folder: Path) -> dict[str, str]:
    """The environment of a process that has a distribution from its source, installed into a new folder."""
    source = shutil.copytree(distribution, folder / "source")  # building writes into the source
    command = [sys.executable, "-m", "pip", "install", *OFFLINE, "--target", str(folder / "site"), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": str(folder / "site")}

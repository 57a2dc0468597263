"""Reserve the directory of a recording for its user, and for one recorder."""

import fcntl
import os
from pathlib import Path

from asrd.core.errors import AsrdError


def check(directory: Path) -> None:
    """Raise AsrdError if nothing may be recorded in the directory, which need not exist. Changes nothing."""
    directory = directory.expanduser().absolute()
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        raise AsrdError(f"cannot record in {directory}: {nearest} is no directory of yours; choose another directory")
    if nearest != directory or not (state := directory.stat()).st_mode & 0o077:
        return
    if state.st_uid != os.geteuid() or any(directory.iterdir()):
        raise AsrdError(f"{directory} is open to others, who could hear what is recorded; name a new directory")


def take(directory: Path) -> int:
    """Reserve the directory for this user, and for this process as long as the returned descriptor is open. Raises
    AsrdError.
    """
    check(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & 0o077:
            directory.chmod(0o700)
        lock = os.open(directory / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise AsrdError(f"cannot record in {directory}: {error.strerror}; choose another directory") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise AsrdError(f"another daemon records in {directory}; choose another directory") from error
    return lock

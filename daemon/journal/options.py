"""Options of a journal."""

import os
from dataclasses import dataclass
from pathlib import Path

from asrd.core import home
from asrd.core.errors import UsageError

NAME = "journal.sqlite"

SMALLEST = 1 << 20
"""Smallest limit, in bytes. Less would not hold a day of speech."""


def state_directory() -> Path:
    """Return the directory for what outlives a daemon: `$STATE_DIRECTORY` under systemd, else the user's."""
    systemd = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(systemd) if systemd else home.state()


def journal_file(given: Path | None) -> Path:
    """Return the file that is meant: a directory, or a name without a suffix, holds `journal.sqlite`; None means the
    default one.
    """
    path = (given or state_directory() / NAME).expanduser().absolute()
    return path if path.suffix and not path.is_dir() else path / NAME


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """file: where it is kept. size: most bytes on disk. days: maximum age of an event; 0 for no such bound."""

    file: Path
    size: int = 200_000_000
    days: float = 30.0

    def __post_init__(self) -> None:
        """Raise UsageError for a limit that is too small."""
        if self.size < SMALLEST:
            raise UsageError(f"a journal needs room for at least {SMALLEST >> 20} MB")

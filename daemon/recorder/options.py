"""Options of a recorder."""

from dataclasses import dataclass
from pathlib import Path

from asrd.core.errors import UsageError

SMALLEST = 1 << 20
"""Smallest limit, in bytes. Less would not hold a minute of one stream."""


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """directory: destination. limit: total size in bytes. hours: maximum age of what is kept; 0 for no such bound."""

    directory: Path
    limit: int = 500_000_000
    hours: float = 24.0

    def __post_init__(self) -> None:
        """Raise UsageError for a limit that is too small."""
        if self.limit < SMALLEST:
            raise UsageError(f"a recording needs room for at least {SMALLEST >> 20} MB")

"""What a recorder is started with."""

from dataclasses import dataclass
from pathlib import Path

from asrd.core.errors import UsageError

SMALLEST = 1 << 20
"""Bytes that a bound may be. Less would not hold a minute of one stream."""


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """directory: where to. limit: bytes in all. hours: nothing older is kept; 0 for no such bound."""

    directory: Path
    limit: int = 500_000_000
    hours: float = 24.0

    def __post_init__(self) -> None:
        """Refuse a bound that nothing fits in."""
        if self.limit < SMALLEST:
            raise UsageError(f"a recording needs room for at least {SMALLEST >> 20} MB")

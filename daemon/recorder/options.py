"""What a recorder is started with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """directory: where to. limit: bytes in all. hours: nothing older is kept; 0 for no such bound."""

    directory: Path
    limit: int = 500_000_000
    hours: float = 24.0

"""Input and findings of a check."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asrd.core.errors import AsrdError
from asrd.core.key import NONE


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a check. subject: what was checked. remedy: one line on how to fix a fault, "" if there is none."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    message: str
    remedy: str = ""

    @classmethod
    def of(cls, subject: str, error: AsrdError, state: Literal["warn", "fail"] = "fail") -> "Finding":
        """Make a finding from asrd's own error, which says what happened and, after a semicolon, what to do."""
        message, _, remedy = str(error).partition("; ")
        return cls(subject, state, message, remedy)


@dataclass(frozen=True, slots=True)
class Subject:
    """The options that a daemon would be started with."""

    backend: str
    model: str
    events: str
    control: str
    key: str = NONE
    insecure: bool = False
    record: Path | None = None

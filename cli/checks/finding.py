"""Input and findings of a check."""

from dataclasses import dataclass
from typing import Literal

from asrd.core.errors import AsrdError
from asrd.core.events import Status
from asrd.daemon.server.options import DaemonOptions


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
    """What is checked: the daemon that would be started.

    options: those of `asrd start`. chosen: whether somebody chose the sources. daemon: the status of one that runs
    already, or why that does not answer as it should; None if none runs.
    """

    options: DaemonOptions
    chosen: bool = True
    daemon: Status | AsrdError | None = None

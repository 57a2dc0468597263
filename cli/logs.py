"""Write log lines to standard error: for people, for systemd's journal, or as JSON."""

import json
import logging
import os
import sys
from typing import Any

from asrd.core.display import shown

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""Priorities of syslog by level, as the journal reads them at the beginning of a line."""


class Lines(logging.Formatter):
    """Format a record as one line, whatever its message holds; a traceback follows in lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        """Return the line."""
        record.message = shown(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the traceback."""
        return shown(super().formatException(ei), keep="\n")


class Journal(Lines):
    """Begin each line with its priority, for systemd."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's lines."""
        lines = super().format(record).split("\n")
        return "\n".join(f"<{PRIORITIES.get(record.levelno, 6)}>{line}" for line in lines)


class Json(Lines):
    """Format a record as a JSON object on one line, with its time in Unix seconds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return json.dumps(facts)


def log(level: int, form: str = "text") -> None:
    """Log from `level` on: asrd's own lines, and warnings of its libraries. form: "text" or "json".

    The first call counts, for `asrd --verbose` comes before any command; but any call may choose JSON.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Journal("%(message)s") if _is_journal() else Lines("asrd: %(message)s"))
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler])
    if form == "json":
        for each in logging.getLogger().handlers:
            each.setFormatter(Json())
    asrd = logging.getLogger("asrd")
    asrd.setLevel(min(level, asrd.level or level))


def _is_journal() -> bool:
    """Return whether standard error leads to systemd's journal, as it says (systemd.exec(5))."""
    try:
        state = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{state.st_dev}:{state.st_ino}"

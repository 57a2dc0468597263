"""Write log lines to standard error."""

import logging
import sys
from typing import Any

from asrd.core.display import shown


class Lines(logging.Formatter):
    """Format a record as one line, whatever its message holds; a traceback follows in lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        """Return the line."""
        record.message = shown(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the traceback."""
        return shown(super().formatException(ei), keep="\n")


def log(level: int) -> None:
    """Log from `level` on: asrd's own lines, and warnings of its libraries.

    The first call counts, for `asrd --verbose` comes before any command.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines("asrd: %(message)s"))
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler])
    asrd = logging.getLogger("asrd")
    asrd.setLevel(min(level, asrd.level or level))

"""Write log lines to standard error."""

import logging
import sys


def log(level: int) -> None:
    """Log from `level` on: asrd's own lines, and warnings of its libraries.

    The first call counts, for `asrd --verbose` comes before any command.
    """
    logging.basicConfig(level=max(level, logging.INFO), format="asrd: %(message)s", stream=sys.stderr)
    asrd = logging.getLogger("asrd")
    asrd.setLevel(min(level, asrd.level or level))

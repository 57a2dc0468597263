"""Count malformed input. Whoever sends it decides how much of it comes, so a log gets one line of many."""

import logging
import time

PERIOD = 60.0
"""Seconds between two lines."""

log = logging.getLogger(__name__)


class Malformed:
    """Malformed messages to one socket. count: how many there were."""

    def __init__(self, place: str) -> None:
        """place: what they are sent to, for the log."""
        self.count = 0
        self._place, self._told, self._since = place, 0, -PERIOD

    def note(self, what: object) -> None:
        """Count a message, and log what is wrong with it unless there was a line lately."""
        self.count += 1
        now = time.monotonic()
        if now - self._since >= PERIOD:
            more = f" ({self.count - self._told - 1} more before it)" if self.count > self._told + 1 else ""
            log.warning("%s: a malformed message was ignored: %s%s", self._place, what, more)
            self._told, self._since = self.count, now

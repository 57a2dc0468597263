"""Keep the journal's file small and safe, beside the thread that writes: checkpoints, and deleting what is old."""

import logging
import sqlite3
import threading
import time

from asrd.core.errors import reason
from asrd.daemon.journal.options import JournalOptions
from asrd.daemon.journal.store import ForeignError, Store

log = logging.getLogger(__name__)

INTERVAL = 10.0
"""Seconds between checkpoints. A power cut loses at most what was written since the last one."""

DAY = 86_400.0


class Caretaker:
    """Takes care of a journal from its construction until `close`."""

    def __init__(self, options: JournalOptions) -> None:
        self._options = options
        self._closing = threading.Event()
        threading.Thread(target=self._work, name="journal care", daemon=True).start()

    def close(self) -> None:
        """End the thread, as soon as it can. Does not wait."""
        self._closing.set()

    def _work(self) -> None:
        while not self._closing.wait(INTERVAL):
            try:
                with Store(self._options.file) as store:
                    store.checkpoint()
                    prune(store, self._options, self._closing)
            except (OSError, sqlite3.Error, ForeignError) as error:  # whoever writes will say so
                log.debug("the journal was not looked after: %s", reason(error))


def prune(store: Store, options: JournalOptions, stop: threading.Event | None = None) -> int:
    """Delete what is too old or too much, step by step; returns how many events. stop: leaves off once it is set."""
    before = time.time() - options.days * DAY if options.days else 0.0
    total = 0
    while not (stop and stop.is_set()) and (gone := store.prune(before, options.size)):
        total += gone
        time.sleep(0.001)  # SQLite does not serve those who wait in order
    return total

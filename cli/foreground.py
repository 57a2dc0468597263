"""Run a daemon in the foreground."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from asrd.cli.config import misspelt
from asrd.cli.logs import log
from asrd.cli.signals import at_once

if TYPE_CHECKING:
    from asrd.daemon.server.daemon import Daemon
    from asrd.daemon.server.options import DaemonOptions
    from asrd.daemon.sources.entrance import Entrance


def run(
    options: "DaemonOptions",
    read: Callable[[], "DaemonOptions"],
    *,
    verbose: bool,
    log_format: str,
    entrances: Sequence["Entrance"] = (),
    up: Callable[["Daemon"], None] = lambda daemon: None,
) -> None:
    """Run a daemon until it is stopped. read: returns the options as they are given now, for a reload. entrances: where
    streams come in, beside those of the options. up: called with the daemon once it is ready.
    """
    log(logging.DEBUG if verbose else logging.INFO, log_format)
    with at_once():
        from asrd.daemon.server.daemon import Daemon
        from asrd.daemon.transport.descriptors import ENOUGH, raise_limit

    if (files := raise_limit()) < ENOUGH:
        few = "only %d files may be open, and a flood of connections could end the daemon; try 'ulimit -Hn %d'"
        logging.getLogger("asrd").warning(few, files, ENOUGH)
    began = time.monotonic()

    def ready(daemon: Daemon) -> None:
        scheduler = daemon.engine.scheduler
        logging.getLogger("asrd").info(
            "ready in %.1f s: %s on %s (%s), streams %s, events at %s",
            time.monotonic() - began,
            daemon.engine.model.name,
            scheduler.name,
            scheduler.backend.arithmetic,
            ", ".join(one.stream for one in daemon.inputs),
            ", ".join(daemon.publisher.addresses),
        )
        for fault in misspelt():
            logging.getLogger("asrd").warning(fault)
        if daemon.journal:
            logging.getLogger("asrd").info("events are kept in %s", daemon.journal.path)
        if daemon.recorder:
            logging.getLogger("asrd").warning("all that is heard is recorded in %s", daemon.recorder.directory)
        if options.access.insecure and not options.access.key:
            logging.getLogger("asrd").warning("whoever reaches its ports may connect: it is --insecure")
        up(daemon)

    asyncio.run(Daemon(options, ready, read, entrances).run())

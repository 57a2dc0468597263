"""Read settings, clients and hot words again, as `systemctl reload` asks for, while audio goes on."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from asrd.core.errors import AsrdError
from asrd.core.units import counted, seconds
from asrd.daemon.scheduling.engine import Engine
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.server.options import DaemonOptions
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.server.status import StatusReporter
from asrd.daemon.server.streams import Streams
from asrd.daemon.server.systemd import notify

log = logging.getLogger(__name__)

Read = Callable[[], DaemonOptions]


def reloads(number: int) -> bool:
    """Return whether a signal reloads: SIGHUP does, without a terminal whose closing it would tell of. It then ends the
    daemon, as Ctrl-C does, and is ignored under `nohup`.
    """
    if number != signal.SIGHUP:
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return True
    return False


class Reload:
    """The options in use, and how to read them again."""

    def __init__(
        self,
        options: DaemonOptions,
        read: Read | None,
        engine: Engine,
        streams: Streams,
        publisher: Publisher,
    ) -> None:
        """read: returns the options as they are given now, or raises AsrdError; by default they stay."""
        self._options, self._read, self._engine, self._streams = options, read or (lambda: options), engine, streams
        self._publisher = publisher

    async def run(self, asked: asyncio.Event, reporter: StatusReporter) -> None:
        """Reload whenever asked, and publish what is wrong, if anything is."""
        while True:
            await asked.wait()
            asked.clear()
            try:
                await self.now(reporter)
            except AsrdError as error:
                await reporter.complain(f"not everything was reloaded: {error}")

    async def now(self, reporter: StatusReporter) -> str:
        """Reload, and publish the status, which has the hot words; return what is in use now. Raises AsrdError."""
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            said = self._apply()
            await reporter.report()
        finally:
            reporter.tell("READY=1")
        return said

    def _apply(self) -> str:
        """Apply what has changed and can change while running. Raises AsrdError, with settings as they were."""
        words = self._engine.words.reload()
        options = self._read()
        clients = self._use(options)
        changed = _lengths(self._options.recognition.segmenter, options.recognition.segmenter)
        chosen = [(stream, stream.settings.changed(changed)) for stream in self._streams]
        self._streams.use(changed)
        for stream, settings in chosen:
            stream.use(settings)
        said = [f"{name.replace('_', '-')} {seconds(value):g} s" for name, value in changed.items()]
        said.append(counted(len(words), "hot words"))
        said += [counted(clients, "clients")] if clients else []
        if later := [*_others(self._options, options)]:
            said.append(f"{', '.join(later)} with the next start")
        log.info("reloaded: %s", "; ".join(said))
        self._options = replace(
            self._options, recognition=replace(self._options.recognition, segmenter=options.recognition.segmenter)
        )
        return "; ".join(said)

    def _use(self, options: DaemonOptions) -> int:
        """Admit the clients of new options and no others; return how many they are."""
        clients = self._options.access.clients
        admitted = dict(options.access.clients)
        clients.clear()
        clients.update(admitted)
        self._publisher.part()
        return len(clients)


def _lengths(before: SegmenterSettings, after: SegmenterSettings) -> dict[str, int]:
    old, new = before.settable(), after.settable()
    return {name: new[name].value for name in new if new[name].value != old[name].value}


def _others(before: DaemonOptions, after: DaemonOptions) -> Iterator[str]:
    """Yield the names of options that differ and cannot change while running."""
    for field in fields(before):
        if field.name != "recognition" and getattr(before, field.name) != getattr(after, field.name):
            yield field.name
    for field in fields(before.recognition):
        one, other = (getattr(options.recognition, field.name) for options in (before, after))
        if field.name != "segmenter" and one != other:
            yield field.name

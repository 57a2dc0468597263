"""What a daemon says of itself: which backend it uses, that it lives, and how it is."""

import asyncio
import logging
import os
import resource
import time
from collections.abc import Sequence
from importlib.metadata import version

from asrd.core import events
from asrd.daemon.recorder.recorder import Recorder
from asrd.daemon.scheduling.engine import Engine
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.server.systemd import notify
from asrd.daemon.stream.stream import Stream

log = logging.getLogger(__name__)

HEARTBEAT = 1.0
"""Seconds between heartbeats."""


class StatusReporter:
    """Publishes it, as events of the daemon's own."""

    def __init__(
        self, publisher: Publisher, engine: Engine, streams: Sequence[Stream], recorder: Recorder | None, began: float
    ) -> None:
        """recorder: where there is one. began: when the daemon did, in monotonic seconds."""
        self._publisher, self._engine, self._streams = publisher, engine, streams
        self._recorder, self._began = recorder, began

    async def beat(self) -> None:
        """Say that the daemon lives; to systemd only while windows do not wait in vain."""
        scheduler, served = self._engine.scheduler, 0
        while True:
            await asyncio.sleep(HEARTBEAT)
            if scheduler.idle or scheduler.served > served:
                notify("WATCHDOG=1")
            served = scheduler.served
            await self._publisher.publish(events.Heartbeat(uptime=time.monotonic() - self._began))

    async def greet(self) -> None:
        """Tell a new subscriber at once that it is connected, and to what."""
        while True:
            await self._publisher.joined()
            await self._publisher.publish(self.status())

    async def announce(self, previous: str = "") -> None:
        """Say which backend is used from now on. previous: the one before, if there was one."""
        scheduler, model = self._engine.scheduler, self._engine.model
        arithmetic = scheduler.backend.arithmetic
        if previous:
            log.info("backend %s → %s (%s)", previous, scheduler.name, arithmetic)
        await self._publisher.publish(
            events.Backend(name=scheduler.name, previous=previous, model=model.name, arithmetic=arithmetic)
        )

    async def complain(self, message: str) -> None:
        """Say what has failed."""
        log.error("%s", message)
        await self._publisher.publish(events.Error(message=message))

    def status(self) -> events.Status:
        """The daemon as it is now."""
        engine, scheduler = self._engine, self._engine.scheduler
        words = tuple(engine.words.boosts)
        return events.Status(
            version=version("asrd"),
            pid=os.getpid(),
            backend=scheduler.name,
            arithmetic=scheduler.backend.arithmetic,
            model=str(engine.model.path),
            uptime=time.monotonic() - self._began,
            audio_seconds=scheduler.audio_seconds,
            inference_seconds=scheduler.inference_seconds,
            peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            streams={stream.source.stream: stream.status for stream in self._streams},
            calibrated=engine.model.calibration.words is not None,
            recording=self._recorder.directory if self._recorder else "",
            decoder=engine.decoding.name,
            lm=engine.decoding.lm,
            hot_words=len(words),
            words=words,
            events=tuple(self._publisher.addresses),
        )

"""Publish status, heartbeats and backend changes."""

import asyncio
import logging
import os
import resource
import time
from collections.abc import Callable
from importlib.metadata import version

import msgspec

from asrd.core import events
from asrd.core.units import Samples, counted, seconds
from asrd.core.writing.style import Style
from asrd.daemon.recorder.recorder import Recorder
from asrd.daemon.scheduling.engine import Engine
from asrd.daemon.server.ports import Ports
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.server.streams import Streams
from asrd.daemon.server.systemd import notify

log = logging.getLogger(__name__)

HEARTBEAT = 1.0
"""Seconds between heartbeats."""


class StatusReporter:
    """Publish the daemon's state as events of its own."""

    def __init__(
        self,
        publisher: Publisher,
        engine: Engine,
        streams: Streams,
        recorder: Recorder | None,
        ports: Ports,
        *,
        style: Style,
        control: str,
        began: float,
    ) -> None:
        """recorder: None if nothing is recorded. ports: all sockets. style: of the text for people. control: where
        requests are taken. began: when the daemon started, in monotonic seconds.
        """
        self._publisher, self._engine, self._streams = publisher, engine, streams
        self._recorder, self._control, self._began = recorder, control, began
        self._ports, self._style = ports, style
        self.measures: Callable[[], tuple[str, ...]] = tuple
        """Returns what is done about being behind."""
        self._line = ""

    async def beat(self) -> None:
        """Publish heartbeats; notify systemd's watchdog, too, unless windows wait in vain."""
        scheduler, served = self._engine.scheduler, 0
        while True:
            await asyncio.sleep(HEARTBEAT)
            if scheduler.idle or scheduler.served > served:
                notify("WATCHDOG=1")
            served = scheduler.served
            self.tell()
            for message in self._ports.refusals():
                await self.complain(message)
            for stream in self._streams:
                while stream.source.notices:
                    await stream.tell(stream.source.notices.popleft())
            for entrance in self._streams.entrances:
                while entrance.notices:
                    await self.complain(f"{entrance.stream}: {entrance.notices.popleft()}")
            await self._publisher.publish(events.Heartbeat(uptime=time.monotonic() - self._began))

    async def greet(self) -> None:
        """Send the status at once to everyone who subscribes, to show that the connection works, and to what."""
        while True:
            await self._publisher.joined(lambda: msgspec.structs.replace(self.status(), greeting=True))

    async def announce(self, previous: str = "") -> None:
        """Publish which backend is in use from now on. previous: the one before, if any."""
        scheduler, model = self._engine.scheduler, self._engine.model
        arithmetic = scheduler.backend.arithmetic
        if previous:
            log.info("backend %s → %s (%s)", previous, scheduler.name, arithmetic)
        await self._publisher.publish(
            events.Backend(name=scheduler.name, previous=previous, model=model.name, arithmetic=arithmetic)
        )

    async def complain(self, message: str) -> None:
        """Log and publish an error."""
        log.error("%s", message)
        await self._publisher.publish(events.Error(message=message))

    def tell(self, *states: str) -> None:
        """Notify systemd of states, and of the line that `systemctl status` shows if it has changed."""
        streams = [stream.status for stream in self._streams]
        heard, lost = sum(one.utterances for one in streams), seconds(Samples(sum(one.lost for one in streams)))
        names = ", ".join(stream.source.stream for stream in self._streams) or "nothing yet"
        line = f"STATUS={self._engine.scheduler.name} on {names}: {counted(heard, 'utterances')}, {lost:.1f} s lost"
        if states or line != self._line:
            self._line = line
            notify(*states, line)

    async def report(self) -> None:
        """Publish the status."""
        await self._publisher.publish(self.status())

    def status(self) -> events.Status:
        """Return the current status."""
        engine, scheduler = self._engine, self._engine.scheduler
        words, journal = tuple(engine.words.boosts), self._publisher.history.journal
        return events.Status(
            version=version("asrd"),
            pid=os.getpid(),
            backend=scheduler.name,
            arithmetic=scheduler.backend.arithmetic,
            model=str(engine.model.single),
            uptime=time.monotonic() - self._began,
            audio_seconds=scheduler.audio_seconds,
            inference_seconds=scheduler.inference_seconds,
            peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            streams={stream.source.stream: stream.status for stream in self._streams},
            language=engine.model.speaks,
            style=self._style,
            calibrated=engine.model.calibration.words is not None,
            recording=self._recorder.directory if self._recorder else "",
            decoder=engine.decoding.name,
            lm=engine.decoding.lm,
            hot_words=len(words),
            words=words,
            events=tuple(self._publisher.addresses),
            control=self._control,
            entrances=tuple(entrance.place for entrance in self._streams.entrances),
            journal=str(journal.path) if journal else "",
            connections=self._ports.connections,
            refused=self._ports.refused,
            malformed=self._ports.malformed,
            measures=self.measures(),
        )

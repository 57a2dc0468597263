"""What is done while the machine is behind: measures are taken one by one, and undone when it has caught up."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from asrd.core.errors import AsrdError
from asrd.core.events import Behind
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.server.options import DROP, WAIT
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.server.streams import Streams

BEHIND, ON_TIME = 1.0, 0.3
"""Seconds of lag from which the machine is behind, and below which it is on time."""

PATIENCE = 2.0
"""Seconds that a measure has to show effect before the next is taken."""

CALM = 10.0
"""Seconds on time after which the latest measure is undone."""

LOOK = 0.25
"""Seconds between two looks."""

SHED = ("partials", "probes")
"""What is left out first: previews, and then the questions by which the recogniser helps to find endpoints."""

log = logging.getLogger(__name__)


class Load:
    """Watches how far streams are behind. measures: those in force, in the order in which they were taken."""

    def __init__(
        self,
        streams: Streams,
        scheduler: Scheduler,
        publisher: Publisher,
        use: Callable[[str], Awaitable[Any]],
        *,
        rule: str = WAIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """use: switches to a backend. rule: `WAIT`, `DROP`, or a backend's name. clock: returns seconds."""
        self._streams, self._scheduler, self._publisher, self._use = streams, scheduler, publisher, use
        self._clock, self._rule = clock, rule
        self._possible = SHED if rule == WAIT else (*SHED, rule)
        self.measures: list[str] = []
        self._before, self._usual = "", streams.max_lag
        self._changed = self._late = -CALM

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Take the next measure if a stream is behind, undo the last if all have been on time for a while."""
        now = self._clock()
        seconds, slowest = max(((one.behind, one.source.stream) for one in self._streams), default=(0.0, ""))
        if seconds > ON_TIME:
            self._late = now
        left = len(self.measures) < len(self._possible)
        if seconds > BEHIND and left and now - self._changed >= (PATIENCE if self.measures else 0.0):
            await self._take(self._possible[len(self.measures)])
        elif self.measures and now - max(self._late, self._changed) >= CALM:
            await self._undo()
        else:
            return
        self._changed = now
        told = ", ".join(self.measures) or "none any more"
        log.warning("%s is %.1f s behind; measures: %s", slowest or "nothing", seconds, told)
        await self._publisher.publish(Behind(seconds=seconds, slowest=slowest, measures=tuple(self.measures)))

    async def _take(self, measure: str) -> None:
        self.measures.append(measure)
        if measure in SHED:
            self._scheduler.shed.add(measure)
        elif measure == DROP:
            self._usual, self._streams.max_lag = self._streams.max_lag, BEHIND
        else:
            self._before = self._scheduler.name
            await self._switch(measure)

    async def _undo(self) -> None:
        measure = self.measures.pop()
        if measure in SHED:
            self._scheduler.shed.discard(measure)
        elif measure == DROP:
            self._streams.max_lag = self._usual
        elif self._scheduler.name == measure:  # nobody has chosen another meanwhile
            await self._switch(self._before)

    async def _switch(self, name: str) -> None:
        try:
            await self._use(name)
        except AsrdError as error:
            log.warning("backend %s cannot be used: %s", name, error)

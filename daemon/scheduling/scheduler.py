"""One backend serves the windows of all streams, oldest deadline first."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from asrd.backends import Backend
from asrd.core.errors import reason
from asrd.core.flow import Window
from asrd.core.units import seconds
from asrd.daemon.recognition.recognizer import recognize, silent
from asrd.daemon.scheduling.queue import Deliver, Lane, Result, Ticket
from asrd.daemon.threads import Worker

log = logging.getLogger(__name__)

T = TypeVar("T")

RECENT = 5
"""Batches that tell how long the next one may take."""

PATIENCE, TIMES = 10.0, 20
"""A batch that takes longer than so many seconds, and so many times the slowest of late, is taken to never return."""


class Scheduler:
    """Bounded everywhere: a full lane makes its stream wait, and a preview never waits behind
    anything: it is left out, because a newer one or a final follows anyway. In a pause of live speech it
    is left out, too, where it would take longer than what may be left until the final window comes.

    A backend that hangs is let go of; windows then wait until `use` brings another.
    """

    def __init__(self, name: str, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds, by which windows wait."""
        self._name, self._backend, self._clock = name, backend, clock
        self._took: deque[float] = deque([0.0], maxlen=RECENT)
        self.lanes: list[Lane] = []
        self._changed = asyncio.Condition()
        self._worker = Worker("backend")
        self._running = 0
        self.served = 0
        """Batches that the backend has answered, or refused."""
        self.hangs = asyncio.Event()
        """Set while there is no backend, because it does not answer."""
        self.audio_seconds = 0.0
        self.inference_seconds = 0.0

    @property
    def backend(self) -> Backend:
        """The backend that the next window goes to."""
        return self._backend

    @property
    def name(self) -> str:
        """What that backend is called."""
        return self._name

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._running and not any(lane.waiting for lane in self.lanes)

    def lane(self, deliver: Deliver, *, bound: int = 8, patience: float = 0.3, live: bool = False) -> Lane:
        """Open a lane; `deliver` is awaited with each window's result, in the lane's order."""
        lane = Lane(deliver, bound, patience, live=live)
        self.lanes.append(lane)
        return lane

    async def submit(self, lane: Lane, window: Window, *, settle: bool = False) -> None:
        """Queue a window, waiting while the lane is full. settle: wait until it has been delivered, too."""
        cut = time.time()
        async with self._changed:
            if lane.waiting and lane.waiting[-1].window.provisional:
                lane.waiting.pop()
                lane.skipped += 1
            if window.provisional and lane.waiting and not settle:  # who waits for an answer gets it
                lane.skipped += 1
                return
            await self._changed.wait_for(lambda: len(lane.waiting) < lane.bound)
            now, spare = self._clock(), window.spare if lane.live else None
            needed = math.inf if spare is None else now + seconds(spare)
            lane.waiting.append(Ticket(window, now + lane.patience, needed, cut))
            self._changed.notify_all()
        if settle:
            await self.settled(lane)

    async def settled(self, lane: Lane) -> None:
        """Wait until all that was submitted to a lane has been delivered."""
        async with self._changed:
            await self._changed.wait_for(lambda: lane.idle)

    async def aside(self, call: Callable[..., T], *arguments: Any) -> T:
        """The result of a call that would hold up the loop, made in the backend's thread, which waits for it anyway."""
        return await self._worker.run(call, *arguments)

    async def drain(self) -> None:
        """Wait until nothing waits and nothing runs."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.idle)

    async def use(self, name: str, backend: Backend) -> None:
        """Let another backend take over with the next window; the old one is closed after its last."""
        old, self._name, self._backend = self._backend, name, backend
        if self.hangs.is_set():
            async with self._changed:
                self.hangs.clear()
                self._changed.notify_all()
            return
        try:
            await self._worker.run(old.close)
        except Exception:  # a third party's; the switch has happened all the same
            log.exception("the previous backend could not be closed")

    async def run(self) -> None:
        """Serve windows until cancelled."""
        while True:
            async with self._changed:
                await self._changed.wait_for(
                    lambda: not self.hangs.is_set() and any(lane.waiting for lane in self.lanes)
                )
                self._leave_out()
                batch = self._take()
                self._running = len(batch)
                self._changed.notify_all()
            if not batch:
                continue
            began, answered = self._clock(), await self._recognize(batch)
            for lane, result in answered:
                await lane.deliver(result)
            if not answered[0][1].failure:
                self._took.append(self._clock() - began)
            async with self._changed:
                self._running = 0
                for lane, _ in batch:
                    lane.running = False
                self._changed.notify_all()

    def close(self) -> None:
        """Give the backend back. A window that is being recognised is not waited for."""
        if self.hangs.is_set():
            self._worker.close()
        else:
            self._worker.close(self._backend.close)

    def _leave_out(self) -> None:
        """What would not be recognised in time, if it took as long as the slowest of late."""
        done = self._clock() + max(self._took)
        for lane in self.lanes:
            if lane.waiting and lane.waiting[0].needed < done:
                lane.waiting.popleft()
                lane.skipped += 1

    def _take(self) -> list[tuple[Lane, Ticket]]:
        """The most urgent lane's next window, and those of other lanes that fit in one batch with it."""
        urgent = sorted((lane for lane in self.lanes if lane.waiting), key=lambda lane: lane.waiting[0].deadline)
        if not urgent:
            return []
        length = len(urgent[0].waiting[0].window.pcm)
        fitting = [lane for lane in urgent if len(lane.waiting[0].window.pcm) == length]
        chosen = fitting[: self._backend.max_batch]
        for lane in chosen:
            lane.running = True
        return [(lane, lane.waiting.popleft()) for lane in chosen]

    async def _recognize(self, batch: list[tuple[Lane, Ticket]]) -> list[tuple[Lane, Result]]:
        """Run a batch off the loop. A failing backend gives empty emissions, not a dead daemon."""
        name, backend, windows = self._name, self._backend, [ticket.window for _, ticket in batch]
        began, started, failure = self._clock(), time.time(), ""
        patience = max(PATIENCE, TIMES * max(self._took))
        try:
            async with asyncio.timeout(patience) as limit:
                emissions = await self._worker.run(recognize, backend, windows)
        except Exception as error:  # a third party's backend may raise anything
            failure = reason(error)
            if limit.expired():
                failure = f"it has not answered for {patience:.0f} s"
                self._let_go(backend)
            emissions = [silent(window, backend.model) for window in windows]
        ended = time.time()
        self.served += not limit.expired()
        self.inference_seconds += self._clock() - began  # the other clock may be set meanwhile
        self.audio_seconds += sum(seconds(len(window.pcm)) for window in windows)
        return [
            (lane, Result(ticket.window, emission, name, ticket.cut, started, ended, failure, row, len(batch)))
            for row, ((lane, ticket), emission) in enumerate(zip(batch, emissions, strict=True))
        ]

    def _let_go(self, backend: Backend) -> None:
        """Leave a backend that hangs to its thread, which closes it should it ever return."""
        if backend is self._backend:
            self.hangs.set()
            self._worker.forsake(backend.close)
        else:  # another has taken over meanwhile, and this one waits to be closed
            self._worker.forsake()
        self._worker = Worker("backend")

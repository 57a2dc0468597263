"""Serve the windows of all streams with one backend, oldest deadline first."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asrd.backends import Backend
from asrd.core.errors import reason
from asrd.core.flow import Window
from asrd.core.units import seconds
from asrd.daemon.recognition.recognizer import recognize, silent
from asrd.daemon.scheduling.queue import Deliver, Result, Ticket, WindowQueue
from asrd.daemon.threads import Worker

log = logging.getLogger(__name__)

T = TypeVar("T")

RECENT = 5
"""Number of recent batches from which the duration of the next one is estimated."""

MAX_WAIT, TIMES = 10.0, 20
"""A batch counts as hung if it takes longer than `MAX_WAIT` seconds and than `TIMES` times the slowest recent one."""


async def _complain(message: str) -> None:
    log.error("%s", message)


async def _no_rescue(failure: str) -> bool:
    return False


class Scheduler:
    """Schedule windows, with every queue bounded. A full queue makes its stream wait. A preview never waits behind
    another window: it is left out, because a newer preview or a final follows anyway. In a pause of live speech, a
    preview is also left out if it would take longer than the time that may be left until the final window.

    A batch that fails is tried again, and after that on another backend if there is one. A backend that hangs is
    abandoned; windows then wait until `use` brings another.
    """

    def __init__(self, name: str, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: returns seconds, by which waiting is timed."""
        self._name, self._backend, self._clock = name, backend, clock
        self._took: deque[float] = deque([0.0], maxlen=RECENT)
        self.queues: list[WindowQueue] = []
        self._changed = asyncio.Condition()
        self._worker = Worker("backend")
        self._running = 0
        self.served = 0
        """Number of batches that the backend has answered or refused."""
        self.hangs = asyncio.Event()
        """Set while there is no backend, because it hangs."""
        self.complain: Callable[[str], Awaitable[None]] = _complain
        """Called with a message when a batch fails for the first time."""
        self.rescue: Callable[[str], Awaitable[bool]] = _no_rescue
        """Called with the reason when it fails again; returns whether another backend has taken over."""
        self.shed: set[str] = set()
        """What is left out of streams that may not be late: "partials", "probes"."""
        self.audio_seconds = 0.0
        self.inference_seconds = 0.0

    @property
    def backend(self) -> Backend:
        """The backend that gets the next window."""
        return self._backend

    @property
    def name(self) -> str:
        """Name of that backend."""
        return self._name

    @property
    def idle(self) -> bool:
        """True if no window waits and none is being recognised or delivered."""
        return not self._running and not any(queue.waiting for queue in self.queues)

    def queue(self, deliver: Deliver, *, bound: int = 8, max_wait: float = 0.3, live: bool = False) -> WindowQueue:
        """Open a queue; `deliver` is awaited with each window's result, in the queue's order."""
        queue = WindowQueue(deliver, bound, max_wait, live=live)
        self.queues.append(queue)
        return queue

    async def submit(self, queue: WindowQueue, window: Window, *, settle: bool = False) -> None:
        """Queue a window; wait while the queue is full. settle: also wait until it has been delivered."""
        cut = time.time()
        async with self._changed:
            if queue.waiting and queue.waiting[-1].window.provisional:
                queue.waiting.pop()
                queue.skipped += 1
            if window.provisional and queue.waiting and not settle:  # whoever waits for an answer gets one
                queue.skipped += 1
                return
            if window.provisional and not queue.patient and ("probes" if window.probe else "partials") in self.shed:
                queue.skipped += 1
                return
            await self._changed.wait_for(lambda: len(queue.waiting) < queue.bound)
            now, left = self._clock(), window.time_left if queue.live else None
            needed = math.inf if left is None else now + seconds(left)
            queue.waiting.append(Ticket(window, now + queue.max_wait, needed, cut))
            self._changed.notify_all()
        if settle:
            await self.settled(queue)

    async def settled(self, queue: WindowQueue) -> None:
        """Wait until everything submitted to a queue has been delivered."""
        async with self._changed:
            await self._changed.wait_for(lambda: queue.idle)

    async def leave(self, queue: WindowQueue) -> None:
        """Wait until everything submitted to a queue has been delivered, and close it."""
        await self.settled(queue)
        self.queues.remove(queue)

    async def aside(self, call: Callable[..., T], *arguments: Any) -> T:
        """Run a call that would block the event loop in the backend's thread, which waits for its result anyway;
        return it.
        """
        return await self._worker.run(call, *arguments)

    async def drain(self) -> None:
        """Wait until nothing waits and nothing runs."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.idle)

    async def use(self, name: str, backend: Backend) -> None:
        """Switch to another backend with the next window; close the old one after its last window."""
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
                    lambda: not self.hangs.is_set() and any(queue.waiting for queue in self.queues)
                )
                self._leave_out()
                batch = self._take()
                self._running = len(batch)
                self._changed.notify_all()
            if not batch:
                continue
            began, answered = self._clock(), await self._recognize(batch)
            for queue, result in answered:
                await queue.deliver(result)
            if not answered[0][1].failure:
                self._took.append(self._clock() - began)
            async with self._changed:
                self._running = 0
                for queue, _ in batch:
                    queue.running = False
                self._changed.notify_all()

    def close(self) -> None:
        """Close the backend. A window that is being recognised is not waited for."""
        if self.hangs.is_set():
            self._worker.close()
        else:
            self._worker.close(self._backend.close)

    def _leave_out(self) -> None:
        """Leave out windows that would be late, assuming the next batch takes as long as the slowest recent one."""
        done = self._clock() + max(self._took)
        for queue in self.queues:
            if queue.waiting and queue.waiting[0].needed < done:
                queue.waiting.popleft()
                queue.skipped += 1

    def _take(self) -> list[tuple[WindowQueue, Ticket]]:
        """Take the most urgent queue's next window, and those of other queues that fit into one batch with it."""
        urgent = sorted((queue for queue in self.queues if queue.waiting), key=lambda queue: queue.waiting[0].deadline)
        if not urgent:
            return []
        length = len(urgent[0].waiting[0].window.pcm)
        fitting = [queue for queue in urgent if len(queue.waiting[0].window.pcm) == length]
        chosen = fitting[: self._backend.max_batch]
        for queue in chosen:
            queue.running = True
        return [(queue, queue.waiting.popleft()) for queue in chosen]

    async def _recognize(self, batch: list[tuple[WindowQueue, Ticket]]) -> list[tuple[WindowQueue, Result]]:
        """Run a batch, once more if it fails, and then on another backend. After a hang that waits for `use`."""
        answered = await self._attempt(batch)
        if answered[0][1].failure:
            first = answered[0][1]
            await self.complain(f"backend {first.backend} failed; the window is tried again: {first.failure}")
            async with self._changed:
                await self._changed.wait_for(lambda: not self.hangs.is_set())
            answered = await self._attempt(batch)
            if answered[0][1].failure and await self.rescue(answered[0][1].failure):
                answered = await self._attempt(batch)
        return answered

    async def _attempt(self, batch: list[tuple[WindowQueue, Ticket]]) -> list[tuple[WindowQueue, Result]]:
        """Run a batch in the backend's thread. A failing backend gives empty emissions, not a dead daemon."""
        name, backend, windows = self._name, self._backend, [ticket.window for _, ticket in batch]
        began, started, failure = self._clock(), time.time(), ""
        max_wait = max(MAX_WAIT, TIMES * max(self._took))
        try:
            async with asyncio.timeout(max_wait) as limit:
                emissions = await self._worker.run(recognize, backend, windows)
        except Exception as error:  # a third party's backend may raise anything
            failure = reason(error)
            if limit.expired():
                failure = f"it has not answered for {max_wait:.0f} s"
                self._let_go(backend)
            emissions = [silent(window, backend.model) for window in windows]
        ended = time.time()
        self.served += not limit.expired()
        self.inference_seconds += self._clock() - began  # the wall clock may be set meanwhile
        self.audio_seconds += sum(seconds(len(window.pcm)) for window in windows)
        return [
            (queue, Result(ticket.window, emission, name, ticket.cut, started, ended, failure, row, len(batch)))
            for row, ((queue, ticket), emission) in enumerate(zip(batch, emissions, strict=True))
        ]

    def _let_go(self, backend: Backend) -> None:
        """Abandon a hung backend; its thread closes it should the call ever return."""
        if backend is self._backend:
            self.hangs.set()
            self._worker.forsake(backend.close)
        else:  # another has taken over meanwhile; this one is already queued to be closed
            self._worker.forsake()
        self._worker = Worker("backend")

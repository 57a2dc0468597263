"""The daemon: connects the stages, starts them in order and stops them in reverse."""

import asyncio
import logging
import math
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import zmq.asyncio

from asrd.core import events
from asrd.core.errors import AsrdError
from asrd.core.writing.style import Style
from asrd.daemon.journal.journal import Journal
from asrd.daemon.recorder.recorder import Recorder
from asrd.daemon.scheduling.engine import Engine
from asrd.daemon.server.control import Controller
from asrd.daemon.server.crash import conclude, note, take_notes
from asrd.daemon.server.load import Load
from asrd.daemon.server.metrics import Metrics
from asrd.daemon.server.options import DaemonOptions
from asrd.daemon.server.ports import Ports
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.server.reload import Read, Reload, reloads
from asrd.daemon.server.requests import Requests
from asrd.daemon.server.status import StatusReporter
from asrd.daemon.server.streams import Streams
from asrd.daemon.server.systemd import notify, supervised
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.entrance import Entrance
from asrd.daemon.sources.spec import parse_sources
from asrd.daemon.stream.observer import Tape
from asrd.daemon.stream.stream import Stream, make_stream
from asrd.daemon.transport.inherited import unused

log = logging.getLogger(__name__)

SHUTDOWN = 4.0
"""Seconds after `Daemon.stop` in which open utterances can finish."""

LAST = 0.6
"""Seconds for the rest of the shutdown: replies, the end of a recording, events to slow subscribers. The total is
less than 5.
"""

LEAST = 0.1
"""Seconds of these that each of them gets in any case."""


class Daemon:
    """One run of the daemon, from `run` to its return."""

    def __init__(
        self,
        options: DaemonOptions,
        ready: Callable[["Daemon"], None] = lambda _: None,
        read: Read | None = None,
        entrances: Sequence[Entrance] = (),
    ) -> None:
        """ready: called once the model has answered, all sources are open and sockets are bound. read: returns the
        options as they are given now, for a reload. entrances: where streams come in, beside those of the options.
        """
        self._entrances = entrances
        self._read = read
        self._options = options
        self._ready = ready
        self._began = time.monotonic()
        self._until = math.inf
        self._stop_reason = ""
        self._stopping, self._reloading = asyncio.Event(), asyncio.Event()
        self.farewells: list[Callable[[float], Awaitable[None]]] = []
        """Called at the end, after the last event, with the seconds that are left."""
        self.recorder: Recorder | None = None
        self.journal: Journal | None = None
        self._toggle: Callable[[], Coroutine[Any, Any, Any]] | None = None

    async def run(self) -> None:
        """Serve until stopped, be it while still loading, or until all sources have ended.

        Raises AsrdError if it cannot start, or if its last source failed.
        """
        self._listen_to_signals()
        context = zmq.asyncio.Context()
        cleanup: list[Callable[[], Any]] = [lambda: context.destroy(linger=round(1000 * self._left()))]
        background: list[asyncio.Task[None]] = []
        try:
            access = self._options.access
            cleanup.append(access.guard(context).close)
            self.publisher = Publisher(context, self._options.events, access)
            cleanup.append(lambda: self.publisher.close(self._left()))
            if self._options.record:
                self.recorder = recorder = Recorder(self._options.record, self.publisher.daemon)
                self.publisher.record = recorder.said
                cleanup.append(lambda: recorder.close(self._left()))
            if self._options.journal:
                self.journal = journal = await Journal.start(self._options.journal)
                self.publisher.begin(journal)
                cleanup.append(lambda: journal.close(self._left()))
            controller = Controller(context, self._options.control, access)
            cleanup.append(lambda: controller.close(self._left()))
            inputs = self.inputs = [*parse_sources(self._options.sources, self._options.pace, access, self._entrances)]
            if not (engine := await self._load()):
                await self._say_goodbye()
                return
            self.engine = engine
            cleanup.append(engine.scheduler.close)
            self.streams = Streams(
                self._stream,
                engine.scheduler,
                self.publisher,
                self._options.recognition.segmenter,
                max_lag=self._options.max_lag,
                gone=self._gone,
            )
            cleanup.append(self._let_go)
            for one in inputs:
                if isinstance(one, Source):
                    one.patient = supervised()
            await self.streams.open(inputs)
            ports = Ports([self.publisher, controller, *inputs])
            self.reporter = reporter = StatusReporter(
                self.publisher,
                self.engine,
                self.streams,
                self.recorder,
                ports,
                style=self.style,
                control=controller.address,
                began=self._began,
            )
            if self._options.metrics:
                metrics = Metrics(self._options.metrics, reporter.status)
                cleanup.append(metrics.close)
                self.publisher.listeners.add(metrics.observe)
            background += [asyncio.create_task(job) for job in self._jobs(controller, reporter)]
            await self._begin()
            await self._serve(background)
        finally:
            self._until = min(self._until, time.monotonic() + LAST)
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            for close in reversed(cleanup):
                outcome = close()
                if asyncio.iscoroutine(outcome):
                    await outcome

    def _jobs(self, controller: Controller, reporter: StatusReporter) -> list[Coroutine[Any, Any, None]]:
        """Return what runs beside the streams, none of which ends by itself; the scheduler is the first."""
        reload = Reload(self._options, self._read, self.engine, self.streams, self.publisher)
        again = partial(reload.now, reporter)
        requests = Requests(self.engine, self.streams, self.publisher, reporter, stop=self.stop, reload=again)
        scheduler = self.engine.scheduler
        scheduler.complain = reporter.complain
        scheduler.rescue = lambda failure: self.engine.rescue(failure, reporter.complain, reporter.announce)
        self._toggle = requests.pause
        load = Load(self.streams, scheduler, self.publisher, requests.use, rule=self._options.when_behind)
        reporter.measures = lambda: tuple(load.measures)
        jobs = [load.watch(), scheduler.run(), controller.run(requests.answer), reporter.beat(), reporter.greet()]
        jobs += [self.engine.renew(reporter.complain, reporter.announce), reload.run(self._reloading, reporter)]
        if self.recorder:
            jobs.append(self.recorder.run(reporter.complain))
        if self.journal:
            jobs += [self.journal.report(reporter.complain), take_notes(self.journal, self.publisher, self.streams)]
        return jobs

    async def _load(self) -> Engine | None:
        """Load everything that recognises, unless stopped meanwhile; nothing waits for what is loading then."""
        loading = asyncio.create_task(Engine.start(self._options.recognition, self._options.words))
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([loading, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if loading.done():
            return loading.result()
        loading.cancel()
        return None

    async def _begin(self) -> None:
        """Publish the first events, and report ready."""
        for address in unused([*self._options.events, self._options.control]):
            log.warning("systemd opened %s, where nobody answers; mend asrd.socket, or 'events' and 'control'", address)
        if self.journal:
            await conclude(self.journal, self.publisher, self.style)
        await self.reporter.announce()
        self._ready(self)
        self.reporter.tell("READY=1")

    @property
    def style(self) -> Style:
        """The style of the text for people, without the hot words."""
        return self._options.recognition.style_of(self.engine.model)

    def stop(self, reason: str) -> None:
        """Finish open utterances, then return from `run`."""
        if not self._stopping.is_set():
            notify("STOPPING=1", "STATUS=finishing what was heard")
            self._stop_reason, self._until = reason, time.monotonic() + SHUTDOWN + LAST
            self._stopping.set()

    def _pause(self) -> None:
        """Pause, or go on after a pause. While it is loading there is nothing to pause."""
        if self._toggle:
            self._pausing = asyncio.ensure_future(self._toggle())

    def _left(self) -> float:
        """Return the seconds left until the promised end."""
        return max(self._until - time.monotonic(), LEAST)

    async def _serve(self, background: list[asyncio.Task[None]]) -> None:
        """Wait until every stream has ended by itself, or was ended; raise what ended a background task."""
        hearing = asyncio.create_task(self.streams.run())
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([hearing, stopped, *background], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        for task in background:
            if task.done():  # none of them ends by itself: raise what ended it
                hearing.cancel()
                task.result()
        if self._stopping.is_set():
            await self._finish(hearing, background[0])
        else:
            hearing.result()
        await self._say_goodbye()
        failures = [stream.failure for stream in self.streams if stream.failure]
        if failures and not self._stopping.is_set():
            raise AsrdError(failures[-1])

    async def _say_goodbye(self) -> None:
        reason = self._stop_reason or "all sources ended"
        log.info("stopped: %s", reason)
        await self.publisher.publish(events.Stopped(reason=reason))
        await asyncio.gather(*(farewell(self._left()) for farewell in self.farewells))

    async def _finish(self, hearing: asyncio.Task[None], serving: asyncio.Task[None]) -> None:
        """Close the sources and let all audio received so far be recognised; give up what is still open when time is
        up.
        """
        for stream in self.streams:
            stream.pause.end()
        closing = asyncio.ensure_future(self.streams.close())
        late: list[asyncio.Future[Any]] = [closing, hearing, serving]
        await asyncio.wait(late[:2], timeout=self._left() - LAST)
        if hearing.done():
            hearing.result()  # raises what ended it
            return
        for one in late:  # so that nothing more is delivered
            one.cancel()
        await asyncio.wait(late, timeout=LEAST)
        for stream in self.streams:
            await stream.abandon(time.time())

    async def _let_go(self) -> None:
        """Close all sources that are still open; one that hangs is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._left()):
                await self.streams.close()

    def _gone(self, stream: Stream) -> None:
        """Keep what is to be known of a stream that has ended."""
        if self.journal:
            note(self.journal, self.publisher, stream)
        if self.recorder:
            self.recorder.untape(stream.source.stream)

    def _stream(self, source: Source) -> Stream:
        recognition = self._options.recognition
        tape = Tape()
        if self.journal and (heard := self.journal.heard.get(source.stream)):
            source.sent = heard.session, heard.frames
        if self.recorder:
            tape = self.recorder.tape(source.stream, self.engine.model, recognition, live=source.live)
        return make_stream(
            source,
            recognition,
            self.engine.scheduler,
            self.publisher,
            self.engine.model,
            decoding=self.engine.decoding,
            hot=lambda: self.engine.words.boosts,
            tape=tape,
        )

    def _listen_to_signals(self) -> None:
        """Stop on SIGTERM, SIGINT and SIGHUP, unless SIGHUP reloads or is ignored; pause and go on by SIGUSR1."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._pause)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if reloads(number):
                loop.add_signal_handler(number, self._reloading.set)
            elif signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:
                loop.add_signal_handler(number, self.stop, number.name)

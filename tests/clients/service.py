"""A daemon without ears: it publishes what it is told, answers about the past, and can be killed."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import zmq.asyncio

from asrd.core.control import AnyRequest, GetStatus, Stop
from asrd.core.events import Error, Event, Status, Stopped
from asrd.daemon.journal.journal import Journal
from asrd.daemon.journal.options import JournalOptions
from asrd.daemon.server.control import Controller
from asrd.daemon.server.publisher import Publisher

NOTHING = dict.fromkeys(("version", "backend", "arithmetic", "model"), "") | dict.fromkeys(
    ("pid", "uptime", "audio_seconds", "inference_seconds", "peak_memory"), 0
)


class Service:
    """One life of the daemon, in a thread of its own."""

    def __init__(self, folder: Path, *, journal: bool = True, control: bool = True, events: str = "events") -> None:
        """events: the name of its socket. control: whether it answers."""
        self.events, self.control = f"ipc://{folder}/{events}", f"ipc://{folder}/control"
        self._options = JournalOptions(folder / "journal.sqlite") if journal else None
        self._answers = control
        self._ready, self._ending = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        context = zmq.asyncio.Context()
        self.publisher = Publisher(context, [self.events])
        journal = await Journal.start(self._options) if self._options else None
        if journal:
            self.publisher.begin(journal)
        controller = Controller(context, self.control)
        tasks = [asyncio.create_task(self._greet())]
        tasks += [asyncio.create_task(controller.run(self._answer))] if self._answers else []
        self._ready.set()
        await self._ending.wait()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await controller.close(0.5)
        if journal:
            journal.close(5.0)
        self.publisher.close(0.5)
        context.destroy(linger=500)

    async def _greet(self) -> None:
        while True:
            await self.publisher.joined()
            await self.publisher.publish(self._status())

    def _status(self) -> Status:
        return Status(streams={}, control=self.control, **NOTHING)

    async def _answer(self, request: AnyRequest) -> Any:
        match request:
            case GetStatus():
                return msgspec.structs.replace(self._status(), daemon=self.publisher.daemon)
            case Stop():
                return None
            case _:
                return await self.publisher.answer(request)  # type: ignore[arg-type]

    def publish(self, *said: Event | str) -> None:
        """Publish events, or errors with these messages, one after the other."""
        for one in said:
            event = Error(message=one) if isinstance(one, str) else one
            asyncio.run_coroutine_threadsafe(self.publisher.publish(event, "a"), self._loop).result(10)

    def start(self) -> "Service":
        self._thread.start()
        self._ready.wait(10)
        return self

    def stop(self, *, said: bool = True) -> None:
        """End, with a `stopped` unless it was not `said`."""
        if self._thread.is_alive():
            if said:
                self.publish(Stopped(reason="the test"))
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(10)


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Service]:
    service = Service(folder, **options).start()
    try:
        yield service
    finally:
        service.stop(said=False)

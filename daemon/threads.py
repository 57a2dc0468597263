"""Threads that the end of the program does not wait for.

A model that loads for a minute, or a backend that hangs, must not keep a daemon from stopping:
`asyncio.to_thread` and executors are joined at exit, these are not.
"""

import asyncio
import contextlib
import queue
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Calls = queue.SimpleQueue[Callable[[], None] | None]
"""Queue of a worker's calls; None ends its thread."""


class Worker:
    """A thread that makes calls in the order they are requested, until `close`, or until nothing refers to the
    worker.
    """

    def __init__(self, name: str) -> None:
        self._calls: Calls = queue.SimpleQueue()
        self._awaited: set[asyncio.Future[Any]] = set()
        threading.Thread(target=_work, args=(self._calls,), name=name, daemon=True).start()
        weakref.finalize(self, self._calls.put, None).atexit = False

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """Return the result of `call(*arguments)`, made in the thread; raise what it raises, as a RuntimeError if it
        is one that would end the loop or a task of it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._awaited.add(future)
        future.add_done_callback(self._awaited.discard)

        def make() -> None:
            try:
                settle, outcome = future.set_result, call(*arguments)
            except BaseException as error:
                settle, outcome = future.set_exception, _harmless(error)  # type: ignore[assignment]
            with contextlib.suppress(RuntimeError):  # the loop has ended: nothing waits any more
                loop.call_soon_threadsafe(lambda: None if future.done() else settle(outcome))

        self._calls.put(make)
        return await future

    def close(self, last: Callable[[], None] = lambda: None) -> None:
        """Make one more call, ignore its errors, and end the thread. Does not wait."""

        def leave() -> None:
            with contextlib.suppress(BaseException):
                last()

        self._calls.put(leave)
        self._calls.put(None)

    def forsake(self, last: Callable[[], None] = lambda: None) -> None:
        """Abandon a hung call; waiters get TimeoutError. Otherwise like `close`."""
        self.close(last)
        for future in [one for one in self._awaited if not one.done()]:
            future.set_exception(TimeoutError("a call before it does not return"))


def _work(calls: Calls) -> None:
    """Make a worker's calls. Not a method: the thread would keep its worker alive forever."""
    while (call := calls.get()) is not None:
        call()
        del call  # else all it refers to would live until the next call


def _harmless(error: BaseException) -> Exception:
    """Return an error that ends neither the loop nor a task, as SystemExit, CancelledError and StopIteration would."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(str(error) or type(error).__name__)


async def in_thread(call: Callable[..., T], *arguments: Any) -> T:
    """Return the result of one call in a thread of its own."""
    worker = Worker("asrd")
    try:
        return await worker.run(call, *arguments)
    finally:
        worker.close()


async def unless(stopped: asyncio.Event, call: Coroutine[Any, Any, T]) -> T | None:
    """Return the result of a call in a thread, or None once the event is set: a hung call is then abandoned."""
    calling, stopping = asyncio.ensure_future(call), asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait([calling, stopping], return_when=asyncio.FIRST_COMPLETED)
        return calling.result() if calling.done() else None
    finally:
        calling.cancel()
        stopping.cancel()

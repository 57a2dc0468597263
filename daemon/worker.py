"""Threads that the end of the program does not wait for.

A model that loads for a minute, or a backend that hangs, must not keep a daemon from stopping:
`asyncio.to_thread` and executors are joined at exit, these are not.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """One thread that makes calls in the order they are asked for, until `close`."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """The result of `call(*arguments)`, made in the thread; raises what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def make() -> None:
            try:
                settle, outcome = future.set_result, call(*arguments)
            except BaseException as error:
                settle, outcome = future.set_exception, error  # type: ignore[assignment]
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(lambda: None if future.done() else settle(outcome))

        self._calls.put(make)
        return await future

    def close(self, last: Callable[[], None] = lambda: None) -> None:
        """Make one more call, whatever comes of it, and end the thread. Does not wait."""

        def leave() -> None:
            with contextlib.suppress(Exception):
                last()

        self._calls.put(leave)
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


async def in_thread(call: Callable[..., T], *arguments: Any) -> T:
    """The result of one call in a thread of its own."""
    worker = Worker("asrd")
    try:
        return await worker.run(call, *arguments)
    finally:
        worker.close()

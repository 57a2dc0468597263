"""Load a backend beside the one in use. That may take long, or hang."""

import asyncio
from collections.abc import Callable
from typing import Any

from asrd.backends import Backend
from asrd.daemon.threads import Worker, in_thread


class Loading:
    """A load that begins at once, in a thread that nothing waits for."""

    def __init__(self, load: Callable[..., Backend], *arguments: Any) -> None:
        self._task = asyncio.create_task(in_thread(load, *arguments))

    async def within(self, limit: float) -> Backend | None:
        """Return the backend, or None if it has not loaded after `limit` seconds. Raises what `load` raises."""
        await asyncio.wait([self._task], timeout=limit)
        return self._task.result() if self._task.done() else None

    def discard(self) -> None:
        """Give up the backend: close it once it has loaded."""
        self._task.add_done_callback(_close)


def _close(task: "asyncio.Task[Backend]") -> None:
    if not task.cancelled() and not task.exception():
        Worker("asrd").close(task.result().close)

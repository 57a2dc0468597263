"""The part that both schedulers of a replay share: windows never wait for a backend there."""

from collections.abc import Callable
from typing import Any, TypeVar

from asrd.daemon.scheduling.queue import Deliver, WindowQueue
from asrd.daemon.threads import Worker

T = TypeVar("T")


class DetachedScheduler:
    """Keeps queues in which nothing waits. name: of the backend in use. The backend is somebody else's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.queues: list[WindowQueue] = []
        self._worker = Worker("replay")

    def queue(self, deliver: Deliver, *, bound: int = 8, max_wait: float = 0.3, live: bool = False) -> WindowQueue:
        """Open a queue."""
        queue = WindowQueue(deliver, bound, max_wait, live=live)
        self.queues.append(queue)
        return queue

    async def settled(self, queue: WindowQueue) -> None:
        """Return at once: nothing waits."""

    async def aside(self, call: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a call, made in a thread, as in a daemon."""
        return await self._worker.run(call, *arguments)

    def close(self) -> None:
        """End the thread."""
        self._worker.close()

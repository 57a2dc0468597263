"""A scheduler as a stream sees it: the daemon's own, or one that stands in for it in a replay."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from asrd.core.flow import Window
from asrd.daemon.scheduling.queue import Deliver, WindowQueue

T = TypeVar("T")


class WindowScheduler(Protocol):
    """Has the windows of streams recognised."""

    @property
    def name(self) -> str:
        """The name of the backend in use."""

    def queue(self, deliver: Deliver, *, bound: int = 8, max_wait: float = 0.3, live: bool = False) -> WindowQueue:
        """Open a queue; `deliver` is awaited with each window's result, in the queue's order."""

    async def submit(self, queue: WindowQueue, window: Window, *, settle: bool = False) -> None:
        """Queue a window, waiting while the queue is full. settle: wait until it has been delivered, too."""

    async def settled(self, queue: WindowQueue) -> None:
        """Wait until all that was submitted to a queue has been delivered."""

    async def aside(self, call: Callable[..., T], *arguments: Any) -> T:
        """Return the result of a call that would hold up the loop, made in a thread."""

"""The windows of one stream that wait for the backend."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from asrd.core.flow import Emission, Window


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a window. cut, started, recognized: Unix seconds. failure: why the emission
    is empty, or "". row, rows: its place in the batch it was recognised in.
    """

    window: Window
    emission: Emission
    backend: str
    cut: float
    started: float
    recognized: float
    failure: str = ""
    row: int = 0
    rows: int = 1


Deliver = Callable[[Result], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A window that waits. deadline, needed: monotonic seconds; if it is recognised later than `needed`, it is in
    the way of its utterance's final window. cut: Unix seconds.
    """

    window: Window
    deadline: float
    needed: float
    cut: float


class WindowQueue:
    """The windows of one stream that wait, in order.

    bound: committed windows that may wait. max_wait: seconds a window may wait before it is late;
    the lower, the earlier its turn. live: its audio comes at the pace of the clock. skipped: previews
    left out because the machine was behind. running: one of its windows is with the backend, or being delivered.
    """

    def __init__(self, deliver: Deliver, bound: int, max_wait: float, *, live: bool) -> None:
        self.deliver = deliver
        self.bound = bound
        self.max_wait = max_wait
        self.live = live
        self.skipped = 0
        self.running = False
        self.waiting: deque[Ticket] = deque()

    @property
    def idle(self) -> bool:
        """Whether all that was submitted has been delivered."""
        return not self.waiting and not self.running

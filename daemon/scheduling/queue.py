"""The queue of one stream's windows that wait for the backend."""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from asrd.core.flow import Emission, Window


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a window.

    cut, started, recognized: Unix seconds. failure: the reason why the emission is empty, or "". row, rows: index of
    the window in its batch, and the size of the batch.
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
    """A waiting window.

    deadline, needed: monotonic seconds; if recognised later than `needed`, it delays its utterance's final window.
    cut: Unix seconds.
    """

    window: Window
    deadline: float
    needed: float
    cut: float


class WindowQueue:
    """The waiting windows of one stream, in order.

    bound: number of committed windows that may wait. max_wait: seconds a window may wait before it is late; the
    lower, the earlier its turn. live: its audio arrives in real time. patient: it may be heard
    late. skipped: number of previews left out because
    the machine was behind. running: one of its windows is at the backend, or being delivered.
    """

    def __init__(self, deliver: Deliver, bound: int, max_wait: float, *, live: bool) -> None:
        self.deliver = deliver
        self.bound = bound
        self.max_wait = max_wait
        self.live = live
        self.patient = False
        self.skipped = 0
        self.running = False
        self.waiting: deque[Ticket] = deque()

    @property
    def age(self) -> float:
        """Seconds that the oldest waiting window has waited."""
        return max(0.0, time.time() - self.waiting[0].cut) if self.waiting else 0.0

    @property
    def idle(self) -> bool:
        """True if everything submitted has been delivered."""
        return not self.waiting and not self.running

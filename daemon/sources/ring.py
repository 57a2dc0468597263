"""What lies between a sound card's thread, which may never wait, and the event loop, which may."""

import threading
import time
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """What one capture callback brought.

    data: `frames` frames of samples. end: time of the last of them on `now`'s clock.
    lost: frames missing directly before, and the reason.
    """

    data: bytes
    frames: int
    end: float
    lost: int
    reason: str


def now() -> float:
    """Seconds since the machine was started, those it was suspended included; never set back."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class CaptureRing:
    """Bounded; when it is full the newest audio is dropped and counted, to the frame.

    The newest, because what is held already is a piece of speech without a hole. rate: Hz.
    capacity: frames held at most.
    """

    def __init__(self, rate: float, capacity: int) -> None:
        self._rate = rate
        self._capacity = capacity
        self._blocks: deque[Block] = deque()
        self._held = 0
        self._lost = 0
        self._reason = ""
        self._end: float | None = None
        self._lock = threading.Lock()

    def put(self, data: bytes, frames: int, end: float, overflowed: bool = False) -> None:
        """Called by the sound card's thread. overflowed: the card says that frames before these are gone.

        How many, it does not say; the time between the end of the last block and the start of this one does.
        """
        with self._lock:
            if overflowed:
                missing = round((end - frames / self._rate - self._end) * self._rate) if self._end is not None else 0
                self._lost += max(1, missing)
                self._reason = "the sound card's buffer overflowed"
            self._end = end
            if self._held + frames > self._capacity:
                self._lost += frames
                self._reason = "the capture buffer overflowed"
                return
            self._blocks.append(Block(data, frames, end, self._lost, self._reason))
            self._held += frames
            self._lost, self._reason = 0, ""

    @property
    def fed(self) -> bool:
        """Whether anything ever came."""
        return self._end is not None

    def take(self) -> Block | None:
        """The oldest block, or None."""
        with self._lock:
            if not self._blocks:
                return None
            block = self._blocks.popleft()
            self._held -= block.frames
            return block

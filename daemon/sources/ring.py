"""What lies between a sound card's thread, which may never wait, and the event loop, which may."""

import threading
import time
from collections import deque
from dataclasses import dataclass

HOLE = 0.5
"""Seconds by which audio must be late to count as lost where the sound card tells of no loss: it hears nothing while
the machine is suspended, and knows nothing of it. The times of blocks are off by hundredths of a second.
"""

STALLED = "the machine was asleep, or the sound server stalled"


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
        self._due: float | None = None  # when the next block begins, if nothing is lost before it
        self._late = 0.0  # by how much the last one was, if that is not believed yet
        self._heard = 0.0
        self._lock = threading.Lock()

    def put(
        self, data: bytes, frames: int, end: float, heard: float | None = None, *, overflowed: bool = False
    ) -> None:
        """Called by the sound card's thread. end: as in `Block`, as the card estimates it. heard: when the call came,
        on the same clock; at `end` unless given. overflowed: the card says that frames before these are gone.

        How many, it does not say; the time between the end of the last block and the start of this one does.
        """
        with self._lock:
            if missing := self._missing(frames, end, end if heard is None else heard, overflowed):
                self._lost += missing
                self._reason = "the sound card's buffer overflowed" if overflowed else STALLED
            if self._held + frames > self._capacity:
                self._lost += frames
                self._reason = "the capture buffer overflowed"
                return
            self._blocks.append(Block(data, frames, self._due or end, self._lost, self._reason))
            self._held += frames
            self._lost, self._reason = 0, ""

    def _missing(self, frames: int, end: float, heard: float, overflowed: bool) -> int:
        """Frames lost before this block, as far as is known now.

        Where the card tells of no loss, audio that is late need not be lost: a sound server may have corrected what it
        says of its delay, or the callback had to wait for Python, and then the next block is not late. So there must
        have been no callback for as long, and the next block must be late too; the loss is told before that one, which
        is a block, a few milliseconds, behind its place.
        """
        late = 0.0 if self._due is None else end - frames / self._rate - self._due
        pause, self._heard = heard - self._heard, heard
        missing = 0
        if overflowed:
            missing = max(1, round(late * self._rate))
        elif late > HOLE and self._late:
            missing = round(min(late, self._late) * self._rate)
        elif late > HOLE and pause > HOLE:
            self._late, self._due = min(late, pause), end - late
            return 0
        self._late, self._due = 0.0, end
        return missing

    @property
    def fed(self) -> bool:
        """Whether anything ever came."""
        return self._due is not None

    def take(self) -> Block | None:
        """The oldest block, or None."""
        with self._lock:
            if not self._blocks:
                return None
            block = self._blocks.popleft()
            self._held -= block.frames
            return block

"""The buffer between a sound card's thread, which may never wait, and the event loop, which may."""

import threading
import time
from collections import deque
from dataclasses import dataclass

HOLE = 0.5
"""Seconds by which audio must be late to count as lost although the sound card reports no loss: while the machine is
suspended, the card captures nothing and does not notice. The times of blocks are accurate to hundredths of a
second.
"""

STALLED = "the machine was asleep, or the sound server stalled"


@dataclass(frozen=True, slots=True)
class Block:
    """The audio of one capture callback.

    data: `frames` frames of samples. end: time of the last frame on `now`'s clock. lost: frames missing directly
    before. reason: why they are missing.
    """

    data: bytes
    frames: int
    end: float
    lost: int
    reason: str


def now() -> float:
    """Return the seconds since the machine was started, including time suspended; never set back."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class CaptureRing:
    """A bounded buffer; when it is full, the newest audio is dropped and counted, to the frame.

    The newest, because the audio already held is speech without a hole. rate: Hz. capacity: maximum number of frames
    held.
    """

    def __init__(self, rate: float, capacity: int) -> None:
        self._rate = rate
        self._capacity = capacity
        self._blocks: deque[Block] = deque()
        self._held = 0
        self._lost = 0
        self._reason = ""
        self._due: float | None = None  # when the next block begins if nothing is lost before it
        self._late = 0.0  # delay of the last block, while not yet confirmed as a loss
        self._heard = 0.0
        self._lock = threading.Lock()

    def put(
        self, data: bytes, frames: int, end: float, heard: float | None = None, *, overflowed: bool = False
    ) -> None:
        """Add a block. Called by the sound card's thread.

        end: as in `Block`, estimated by the card. heard: when the call came, on the same clock; `end` if None.
        overflowed: the card reports that frames before these are lost. It does not say how many; that follows from
        the time between the end of the last block and the start of this one.
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
        """Return the number of frames lost before this block, as far as is known now.

        If the card reports no loss, late audio need not be lost: a sound server may have corrected its estimate of
        the delay, or the callback had to wait for Python, and then the next block is not late. So there must have
        been no callback for as long, and the next block must be late too; the loss is reported before that one, which
        is one block, a few milliseconds, after its place.
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
        """True if any block ever came."""
        return self._due is not None

    def take(self) -> Block | None:
        """Remove and return the oldest block, or None."""
        with self._lock:
            if not self._blocks:
                return None
            block = self._blocks.popleft()
            self._held -= block.frames
            return block

"""The audio that a segmenter may still need, addressed by stream position."""

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import Samples
from asrd.daemon import packing
from asrd.daemon.state import State, Stateful


class HistoryState(State, frozen=True):
    """start: stream position of the first sample. samples: how many there are. pcm: the samples, as packed by
    `packing.pack`.
    """

    start: int
    samples: int
    pcm: bytes


class History(Stateful[HistoryState]):
    """A sliding segment `[start, end)` of one stream. It grows at the end and is cut at the front.

    The buffer is reallocated only when it is full, so that appending costs O(1) per sample.
    """

    def __init__(self, start: Samples = Samples(0)) -> None:
        self._buffer = np.zeros(1 << 16, np.float32)
        self._offset = 0
        self._length = 0
        self.start = start

    @property
    def end(self) -> Samples:
        """Stream position after the last sample."""
        return Samples(self.start + self._length)

    def append(self, pcm: FloatArray) -> None:
        """Append the samples that follow `end`."""
        if self._offset + self._length + len(pcm) > len(self._buffer):
            kept = self._buffer[self._offset : self._offset + self._length]
            larger = np.zeros(max(len(self._buffer), 2 * (self._length + len(pcm))), np.float32)
            larger[: self._length] = kept
            self._buffer, self._offset = larger, 0
        tail = self._offset + self._length
        self._buffer[tail : tail + len(pcm)] = pcm
        self._length += len(pcm)

    def slice(self, start: int, end: int) -> FloatArray:
        """Return a copy of `[start, end)`, which must lie within the history."""
        return self.view(start, end).copy()

    def view(self, start: int, end: int) -> FloatArray:
        """Return `[start, end)` without copying, to be read before the history changes. Raises IndexError outside the
        history.
        """
        if not self.start <= start <= end <= self.end:
            raise IndexError(f"[{start}, {end}) is not within [{self.start}, {self.end})")
        first = self._offset + start - self.start
        return self._buffer[first : first + end - start]

    def forget(self, before: int) -> None:
        """Drop all samples before stream position `before`."""
        drop = min(max(before - self.start, 0), self._length)
        self._offset += drop
        self._length -= drop
        self.start = Samples(self.start + drop)

    def state(self) -> HistoryState:
        """Return the audio held, without the spare room of the buffer."""
        return HistoryState(self.start, self._length, packing.pack(self.view(self.start, self.end)))

    def resume(self, state: HistoryState) -> None:
        """Replace the contents by those of another history."""
        self.start, self._length = Samples(state.start), 0
        self.append(packing.unpack(state.pcm, state.samples))

"""Put audio that arrives at its own rate, with holes, on the stream's 16 kHz clock."""

import numpy as np

from asrd.core.flow import AudioChunk, FloatArray
from asrd.core.units import SAMPLE_RATE, Samples
from asrd.daemon.sources.resample import Resampler, converted


class Timeline:
    """Turn blocks at `rate` into chunks whose positions never drift from the frames counted.

    rate: Hz of the blocks. start: stream position of the first frame.
    """

    def __init__(self, rate: int, start: Samples = Samples(0)) -> None:
        self.rate = rate
        self.position = start
        self._resampler = Resampler(rate)
        self._origin = start
        self._frames = 0
        self._lost = Samples(0)
        self._reason = ""

    def push(self, block: FloatArray, captured: float, lost: int = 0, reason: str = "") -> list[AudioChunk]:
        """Return the chunks made of `block`, float32 `(frames,)` or `(frames, channels)`; often one, maybe none.

        captured: wall-clock time of the block's last frame. lost: frames missing directly before the block. reason:
        why; the filter does not smear the audio on either side of the hole.
        """
        chunks = []
        if lost:
            before = captured - (len(block) + lost) / self.rate
            chunks = self._chunk(self._resampler.flush(), before)
            self._skip(lost, reason)
        self._frames += len(block)
        return chunks + self._chunk(self._resampler.push(block), captured)

    def finish(self, captured: float, reason: str = "", lost: int = 0) -> list[AudioChunk]:
        """Return the audio that the filter still holds, and, as empty chunks, a loss not yet reported and `reason`.

        lost: frames missing at the very end. Blocks may follow.
        """
        chunks = self._chunk(self._resampler.flush(), captured - lost / self.rate)
        if lost:
            self._skip(lost, reason)
        if reason or self._lost:
            chunks.append(self._take(np.zeros(0, np.float32), captured, self._reason or reason))
        return chunks

    def _skip(self, frames: int, reason: str) -> None:
        self._frames += frames
        position = max(self.position, self._here())  # both are rounded
        self._lost = Samples(self._lost + position - self.position)
        self._reason = reason
        self.position = position

    def _chunk(self, pcm: FloatArray, captured: float) -> list[AudioChunk]:
        """Return one chunk, or none while the filter holds everything back."""
        if not len(pcm):
            return []
        held_back = self._here() - self.position - len(pcm)
        return [self._take(pcm, captured - held_back / SAMPLE_RATE, self._reason)]

    def _take(self, pcm: FloatArray, captured: float, reason: str) -> AudioChunk:
        chunk = AudioChunk(self.position, pcm, captured, self._lost, reason)
        self.position = Samples(self.position + len(pcm))
        self._lost, self._reason = Samples(0), ""
        return chunk

    def _here(self) -> Samples:
        return Samples(self._origin + converted(self._frames, self.rate))

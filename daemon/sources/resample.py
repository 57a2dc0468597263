"""Convert any rate and channel count to mono 16 kHz, block by block."""

import numpy as np
import soxr

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.core.pcm import MAX_RATE, MIN_RATE
from asrd.core.units import SAMPLE_RATE, Samples


def converted(frames: int, rate: int) -> Samples:
    """Return the number of samples at 16 kHz for `frames` frames at `rate`, rounded half up as soxr does."""
    return Samples((frames * SAMPLE_RATE + rate // 2) // rate)


def check_rate(rate: int, where: str) -> None:
    """Raise AudioError for an implausible sample rate; `where` names the file or device."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"{where}: a sample rate of {rate} Hz is outside {MIN_RATE}-{MAX_RATE} Hz; is it damaged?")


class Resampler:
    """Convert a stream of blocks. The output samples do not depend on how the input is cut into blocks.

    The filter holds audio back (about 40 ms at 44.1 and 48 kHz, nothing at 16 kHz) until `flush`. Input must be
    finite: one NaN would spread through the filter. Each source handles such samples itself: a file or pipe with one
    is refused with its place named, a network message with one is discarded whole and reported as lost, and a
    microphone is captured in integers, which have none.
    """

    def __init__(self, rate: int) -> None:
        self._stream = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1)

    def push(self, block: FloatArray) -> FloatArray:
        """Convert float32 `(frames,)` or `(frames, channels)`; return float32 `(n,)` in [-1, 1].

        Samples beyond full scale are clipped, and channels are averaged.
        """
        mono = np.clip(block, -1, 1)
        if mono.ndim == 2:
            mono = mono[:, 0] if mono.shape[1] == 1 else mono.mean(axis=1, dtype=np.float32)
        return self._convert(np.ascontiguousarray(mono), last=False)

    def flush(self) -> FloatArray:
        """Return the audio that the filter still holds; the next block then begins a new segment of audio."""
        tail = self._convert(np.zeros(0, np.float32), last=True)
        if self._stream is not None:
            self._stream.clear()
        return tail

    def _convert(self, mono: FloatArray, last: bool) -> FloatArray:
        if self._stream is None:
            return mono
        # The filter overshoots slightly if the input reaches full scale.
        resampled: FloatArray = np.clip(self._stream.resample_chunk(mono, last=last), -1, 1)
        return resampled

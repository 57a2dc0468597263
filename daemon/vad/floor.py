"""Estimate the noise floor, the level of the background, by minimum statistics."""

from collections import deque

import numpy as np
import numpy.typing as npt

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE

BAND = (150.0, 4000.0)
"""Speech band in Hz. Below it lie rumble, hum and offsets; above it, little that tells speech from hiss. The first
formants and the pitch harmonics that carry them are in between (ITU-T P.56 also measures active speech through a
filter that begins at 160-200 Hz).
"""

SMOOTHING = 0.9
"""Smoothing factor of the power, per 20 ms frame, before its minimum is taken: 0.2 s. Martin 2001, "Noise power
spectral density estimation based on optimal smoothing and minimum statistics", adapts 0.3 to 0.96.
"""

SPAN, PARTS = 200, 8
"""Number of frames in which the minimum is sought, 4 s, and of pieces it is kept in. Martin 2001 takes 1.5 s for each
of many bands; the whole speech band is rarely quiet for as long as the smoothing within 1.5 s of fluent speech,
and the floor would rise into the speech (measured: `benchmarks/vads.py`).
"""

BIAS = 1.3
"""Ratio of mean to minimum of smoothed noise power; Martin 1994, "Spectral subtraction based on minimum statistics",
takes 1.5 for single frequencies, and a band fluctuates less.
"""

QUIETEST = 10 ** (-80 / 10)
"""Lower bound of the floor, full scale squared: -80 dBFS is below any room and above 16-bit rounding (-98)."""


class SpeechBand:
    """Compute the power of frames of `size` samples in the band of speech, full scale squared, at least `least`."""

    def __init__(self, size: int, least: float = QUIETEST) -> None:
        self._least = least
        self._size = 2 * size  # zero padded: twice as many bins
        self._band = slice(*np.searchsorted(np.fft.rfftfreq(self._size, 1 / SAMPLE_RATE), BAND))
        self._taper = np.hanning(size).astype(np.float32)
        self._scale = 2 / (self._size * float(self._taper @ self._taper))  # Parseval

    def power(self, pcm: FloatArray) -> float:
        """Return the mean square of a frame `(size,)` in the band."""
        spectrum = np.fft.rfft(pcm * self._taper, self._size)[self._band]
        return max(self._scale * float(np.vdot(spectrum, spectrum).real), self._least)

    def powers(self, pcm: FloatArray) -> npt.NDArray[np.float64]:
        """Return the `power` of each whole frame of `(n,)` samples."""
        size = len(self._taper)
        frames = pcm[: len(pcm) // size * size].reshape(-1, size) * self._taper
        spectra = np.fft.rfft(frames, self._size)[:, self._band]
        powers: npt.NDArray[np.float64] = np.add.reduce(np.abs(spectra) ** 2, axis=1, dtype=np.float64)
        return np.maximum(self._scale * powers, self._least, dtype=np.float64)


class NoiseFloor:
    """Estimate the mean power of the noise from the quietest of the last 4 s."""

    def __init__(self) -> None:
        self._smooth = 0.0
        self._current = float("inf")
        self._minima: deque[float] = deque(maxlen=PARTS)
        self._frames = 0

    def follow(self, power: float) -> float:
        """Add the power of the next 20 ms frame; return the floor. The first frame is the first estimate."""
        self._smooth = SMOOTHING * self._smooth + (1 - SMOOTHING) * power if self._frames else power
        self._current = min(self._current, self._smooth)
        floor = BIAS * min((self._current, *self._minima))
        self._frames += 1
        if self._frames % (SPAN // PARTS) == 0:
            self._minima.append(self._current)
            self._current = self._smooth
        return floor

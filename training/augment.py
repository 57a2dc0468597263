"""Augment speech with rooms, microphones and noise, at the cost of two Fourier transforms.

A fifth of the speech stays as it is, and the rest is treated mildly: a model that has hours to learn, not weeks, is
short of practice, not of variety.
"""

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.training.nonspeech import KINDS, noise

_EQUALIZER = np.array([0, 0.02, 0.06, 0.15, 0.35, 0.6, 1.0])
"""Frequencies at which the equalizer's gains are drawn, as fractions of the highest one, 8 kHz."""

_LONGEST = 10 * SAMPLE_RATE
_STEP = 8000
"""Transform lengths are multiples of this, 2⁶·5³, for which they are fast."""


def room(rng: np.random.Generator) -> FloatArray:
    """Draw an impulse response: the direct sound, and noise that decays by 60 dB in 0.1 to 0.6 s."""
    length = int(rng.uniform(0.1, 0.6) * SAMPLE_RATE)
    tail = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail *= rng.uniform(0.05, 0.5) / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    return tail.astype(np.float32)


class Augmenter:
    """Applies rooms and noises, made once from a seed, to speech."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._rooms = [room(rng) for _ in range(100)]
        self._noises = [noise(rng, _LONGEST) for _ in range(24)]
        self._noises += [kind(rng, _LONGEST) for kind in KINDS for _ in range(12)]

    def __call__(self, pcm: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Put `(samples,)` through a room and a microphone and add noise 10 to 50 dB below it, each at random. The
        length stays the same.
        """
        heard = pcm
        if filters := self._filters(len(pcm), rng):
            size = _size(len(pcm))
            spectrum = np.fft.rfft(pcm, size)
            for one in filters:
                spectrum *= one
            heard = np.fft.irfft(spectrum, size)[: len(pcm)].astype(np.float32)
        if rng.random() < 0.5:
            level = float(heard.std()) * 10 ** (-rng.uniform(10, 50) / 20)
            heard = heard + self.nothing(len(pcm), rng) * np.float32(level)
        return heard

    def nothing(self, samples: int, rng: np.random.Generator) -> FloatArray:
        """Return `(samples,)` of sound without words, of about unit variance."""
        source = self._noises[rng.integers(len(self._noises))]
        first = int(rng.integers(max(1, len(source) - samples)))
        return np.resize(source[first : first + samples], samples)

    def _filters(self, samples: int, rng: np.random.Generator) -> list[np.ndarray]:
        size = _size(samples)
        filters: list[np.ndarray] = []
        if rng.random() < 0.2:
            filters.append(np.fft.rfft(self._rooms[rng.integers(len(self._rooms))], size))
        if rng.random() < 0.5:
            decibels = np.interp(np.linspace(0, 1, size // 2 + 1), _EQUALIZER, rng.uniform(-6, 6, len(_EQUALIZER)))
            filters.append(10 ** (decibels / 20))
            if rng.random() < 0.03:
                filters[-1][size // 4 :] = 0  # telephone bandwidth, 4 kHz
        return filters


def _size(samples: int) -> int:
    """Return the length of the transform, with room for echoes after the end."""
    return -(-(samples + SAMPLE_RATE // 2) // _STEP) * _STEP

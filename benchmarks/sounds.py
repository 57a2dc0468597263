"""Sounds that are not speech, made by seed: what a microphone hears when nobody speaks.

Each function gives float32 `(n,)` at 16 kHz, the same for the same seed. Levels are set by `at_level`.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE

Array = npt.NDArray[np.float64]
Sound = Callable[[int, int], FloatArray]


def rms(pcm: FloatArray) -> float:
    """Root mean square; 1 is full scale."""
    return float(np.sqrt(np.mean(np.square(pcm, dtype=np.float64))))


def at_level(pcm: FloatArray, decibels: float) -> FloatArray:
    """The same sound with an RMS of so many dB relative to full scale."""
    return (pcm * (10 ** (decibels / 20) / rms(pcm))).astype(np.float32)


def white(n: int, seed: int) -> FloatArray:
    """All frequencies alike."""
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


def pink(n: int, seed: int) -> FloatArray:
    """Power falling by 3 dB an octave, as in wind and traffic."""
    return _coloured(n, seed, lambda hertz: 1 / np.sqrt(hertz))


def hum(n: int, seed: int) -> FloatArray:
    """The mains, 50 Hz with harmonics to 2 kHz, and some hiss; whole seconds follow each other smoothly."""
    rng, time = np.random.default_rng(seed), _time(n)
    tones = sum(np.sin(2 * np.pi * 50 * k * time + k * k) / k**1.2 for k in range(1, 41))
    return (tones + 0.02 * rng.standard_normal(n)).astype(np.float32)


def fan(n: int, seed: int) -> FloatArray:
    """Air: noise below some hundred Hz, blades at 35 Hz and their harmonics, turning a little unevenly."""
    time = _time(n)
    air = _coloured(n, seed, lambda hertz: 1 / (1 + (hertz / 250) ** 1.5)).astype(np.float64)
    blades = sum(np.sin(2 * np.pi * 35 * k * time + k) / k for k in range(1, 12))
    uneven = 1 + 0.1 * np.sin(2 * np.pi * time) + 0.05 * np.sin(2 * np.pi * 4 * time)
    return (uneven * (air / air.std() + 0.3 * blades)).astype(np.float32)


def clicks(n: int, seed: int) -> FloatArray:
    """Someone types: seven keys a second in bursts, each a knock and a release of 5 to 20 ms."""
    rng, pcm = np.random.default_rng(seed), np.zeros(n)
    at = 0.0
    while (at := at + rng.exponential(1 / 7) + (1.5 if rng.random() < 0.05 else 0.02)) < n / SAMPLE_RATE:
        for delay, loud in ((0.0, 1.0), (rng.uniform(0.06, 0.12), 0.4)):
            start = int((at + delay) * SAMPLE_RATE)
            length = int(rng.uniform(0.005, 0.020) * SAMPLE_RATE)
            knock = rng.standard_normal(length) * np.exp(-np.arange(length) / (0.2 * length))
            knock = np.convolve(knock, np.hanning(5), "same") * loud * rng.uniform(0.5, 1.0)
            pcm[start : start + length] += knock[: max(0, n - start)]
    return (pcm + 1e-4 * rng.standard_normal(n)).astype(np.float32)


def music(n: int, seed: int) -> FloatArray:
    """A small band: chords of decaying strings, a melody with vibrato, bass and drums, 100 beats a minute."""
    rng, beat = np.random.default_rng(seed), 0.6
    pcm, kinds = np.zeros(n + 2 * SAMPLE_RATE), {"minor": (0, 3, 7, 12), "major": (0, 4, 7, 12)}
    chords = [(0, "major"), (9, "minor"), (5, "major"), (7, "major")]
    scale = (0, 2, 4, 5, 7, 9, 11, 12, 14, 16)
    step = int(rng.integers(len(scale)))
    for number in range(int(n / SAMPLE_RATE / beat)):
        start = int(number * beat * SAMPLE_RATE)
        root, kind = chords[number // 4 % 4]
        for interval in kinds[kind]:
            _add(pcm, start, _note(196 * 2 ** ((root + interval) / 12), 1.2, 0.12 * rng.uniform(0.7, 1), 3.0))
        _add(pcm, start, _note(49 * 2 ** (root / 12), 0.6, 0.35, 4.0))
        for half in range(2):
            step = int(np.clip(step + rng.integers(-2, 3), 0, len(scale) - 1))
            at = start + int(half * beat / 2 * SAMPLE_RATE)
            _add(pcm, at, _note(392 * 2 ** (scale[step] / 12), 0.35, 0.25, 2.0, vibrato=0.006))
            _add(pcm, at, 0.06 * rng.standard_normal(800) * np.exp(-np.arange(800) / 150))
        if number % 2:
            _add(pcm, start, 0.25 * rng.standard_normal(2400) * np.exp(-np.arange(2400) / 500))
    return pcm[:n].astype(np.float32)


STEADY: dict[str, Sound] = {"white": white, "pink": pink, "hum": hum, "fan": fan}
"""Noises that do not change."""


def _time(n: int) -> Array:
    return np.arange(n) / SAMPLE_RATE


def _coloured(n: int, seed: int, gain: Callable[[Array], Array]) -> FloatArray:
    """White noise through a filter given as amplitude over frequency, from 20 Hz on."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hertz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    shaped = np.fft.irfft(np.where(hertz >= 20, spectrum * gain(np.maximum(hertz, 20)), 0), n)
    return (shaped / shaped.std()).astype(np.float32)


def _note(hertz: float, seconds: float, loud: float, decay: float, vibrato: float = 0.0) -> Array:
    """A plucked tone: harmonics that fall off, the higher the sooner."""
    time = _time(int(seconds * SAMPLE_RATE))
    phase = 2 * np.pi * hertz * (time + vibrato / (2 * np.pi * 5.5) * np.sin(2 * np.pi * 5.5 * time))
    harmonics = [k for k in range(1, 9) if k * hertz < SAMPLE_RATE / 2]
    tone = sum(np.sin(k * phase) / k**1.5 * np.exp(-decay * k**0.5 * time) for k in harmonics)
    attack = np.minimum(time / 0.005, 1) * np.minimum((seconds - time) / 0.02, 1)
    return np.asarray(loud * tone * attack)


def _add(pcm: Array, start: int, sound: Array) -> None:
    pcm[start : start + len(sound)] += sound[: max(0, len(pcm) - start)]

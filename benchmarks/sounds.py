"""Make sounds that are not speech, from a seed: what a microphone hears when nobody speaks.

Each function returns float32 `(n,)` at 16 kHz, the same for the same seed. `at_level` sets their levels.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE

Array = npt.NDArray[np.float64]
Sound = Callable[[int, int], FloatArray]


def rms(pcm: FloatArray) -> float:
    """Return the root mean square; 1 is full scale."""
    return float(np.sqrt(np.mean(np.square(pcm, dtype=np.float64))))


def at_level(pcm: FloatArray, decibels: float) -> FloatArray:
    """Scale a sound to an RMS of `decibels` relative to full scale."""
    return (pcm * (10 ** (decibels / 20) / rms(pcm))).astype(np.float32)


def white(n: int, seed: int) -> FloatArray:
    """Make white noise."""
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


def pink(n: int, seed: int) -> FloatArray:
    """Make noise whose power falls by 3 dB per octave, as in wind and traffic."""
    return _coloured(n, seed, lambda hertz: 1 / np.sqrt(hertz))


def hum(n: int, seed: int) -> FloatArray:
    """Make mains hum, 50 Hz with harmonics to 2 kHz, and some hiss; whole seconds follow each other smoothly."""
    rng, time = np.random.default_rng(seed), _time(n)
    tones = sum(np.sin(2 * np.pi * 50 * k * time + k * k) / k**1.2 for k in range(1, 41))
    return (tones + 0.02 * rng.standard_normal(n)).astype(np.float32)


def fan(n: int, seed: int) -> FloatArray:
    """Make a fan: noise below some hundred Hz, blades at 35 Hz and their harmonics, turning a little unevenly."""
    time = _time(n)
    air = _coloured(n, seed, lambda hertz: 1 / (1 + (hertz / 250) ** 1.5)).astype(np.float64)
    blades = sum(np.sin(2 * np.pi * 35 * k * time + k) / k for k in range(1, 12))
    uneven = 1 + 0.1 * np.sin(2 * np.pi * time) + 0.05 * np.sin(2 * np.pi * 4 * time)
    return (uneven * (air / air.std() + 0.3 * blades)).astype(np.float32)


def clicks(n: int, seed: int) -> FloatArray:
    """Make typing: seven keys a second in bursts, each a knock and a release of 5 to 20 ms."""
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
    """Make a small band: chords of decaying strings, a melody with vibrato, bass and drums, 100 beats a minute."""
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


def organ(n: int, seed: int) -> FloatArray:
    """Make held chords without a beat: each of 1.5 to 3 s, each note of two pipes that are slightly out of tune."""
    rng, pcm, start = np.random.default_rng(seed), np.zeros(n + 4 * SAMPLE_RATE), 0
    while start < n:
        held, root = rng.uniform(1.5, 3.0), int(rng.integers(12))
        for interval in (0, 7, *rng.choice([3, 4, 10, 12, 16], 2, replace=False)):
            hertz = 130.8 * 2 ** ((root + interval) / 12)
            for detuned in (hertz, hertz * (1 + rng.uniform(0.0005, 0.002))):
                _add(pcm, start, _note(detuned, held + 0.3, 0.1, 0.0, attack=0.08, release=0.3))
        start += int(held * SAMPLE_RATE)
    return pcm[:n].astype(np.float32)


def solo(n: int, seed: int) -> FloatArray:
    """Make one wind or string instrument: held notes of 0.15 to 0.9 s with vibrato and breath, and occasional rests."""
    rng, pcm, at = np.random.default_rng(seed), np.zeros(n + 2 * SAMPLE_RATE), 0.0
    scale, step = (0, 2, 3, 5, 7, 8, 10, 12, 14, 15, 17, 19), int(rng.integers(12))
    while at * SAMPLE_RATE < n:
        step = int(np.clip(step + rng.integers(-2, 3), 0, len(scale) - 1))
        held = rng.choice([0.15, 0.3, 0.45, 0.9])
        hertz = 220 * 2 ** ((scale[step] + rng.normal(0, 0.1)) / 12)
        tone = _note(hertz, held + 0.06, rng.uniform(0.3, 0.6), 0.3, vibrato=rng.uniform(0, 0.008), attack=0.04)
        swell = 1 - 0.3 * np.cos(np.linspace(0, 2 * np.pi, len(tone)))
        _add(pcm, int(at * SAMPLE_RATE), swell * (tone + 0.004 * rng.standard_normal(len(tone))))
        at += held + (rng.uniform(0.3, 0.8) if rng.random() < 0.12 else 0)
    return pcm[:n].astype(np.float32)


def drums(n: int, seed: int) -> FloatArray:
    """Make a drum kit alone, 80 to 140 beats a minute: a kick that falls to 50 Hz, a snare, hats, and some toms."""
    rng, pcm = np.random.default_rng(seed), np.zeros(n + 2 * SAMPLE_RATE)
    eighth = 30 / rng.uniform(80, 140)
    for number in range(int(n / SAMPLE_RATE / eighth)):
        start = int(number * eighth * SAMPLE_RATE)
        _add(pcm, start, 0.15 * _struck(rng, rng.choice([0.02, 0.1]), bright=True))
        if number % 4 == 0 or rng.random() < 0.15:
            _add(pcm, start, 0.9 * _membrane(50, 0.09))
        if number % 4 == 2:
            _add(pcm, start, 0.4 * _struck(rng, 0.05) + 0.3 * _membrane(180, 0.05))
        if rng.random() < 0.1:
            _add(pcm, start, 0.6 * _membrane(rng.uniform(90, 160), 0.12))
    return pcm[:n].astype(np.float32)


STEADY: dict[str, Sound] = {"white": white, "pink": pink, "hum": hum, "fan": fan}
"""Noises that do not change."""


def _time(n: int) -> Array:
    return np.arange(n) / SAMPLE_RATE


def _coloured(n: int, seed: int, gain: Callable[[Array], Array]) -> FloatArray:
    """Filter white noise, from 20 Hz on. gain: amplitude over frequency."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hertz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    shaped = np.fft.irfft(np.where(hertz >= 20, spectrum * gain(np.maximum(hertz, 20)), 0), n)
    return (shaped / shaped.std()).astype(np.float32)


def _note(
    hertz: float,
    seconds: float,
    loud: float,
    decay: float,
    *,
    vibrato: float = 0.0,
    attack: float = 0.005,
    release: float = 0.02,
) -> Array:
    """Make a tone: harmonics that decay, the higher the sooner. attack, release: seconds of a linear rise and fall."""
    time = _time(int(seconds * SAMPLE_RATE))
    phase = 2 * np.pi * hertz * (time + vibrato / (2 * np.pi * 5.5) * np.sin(2 * np.pi * 5.5 * time))
    harmonics = [k for k in range(1, 9) if k * hertz < SAMPLE_RATE / 2]
    tone = sum(np.sin(k * phase) / k**1.5 * np.exp(-decay * k**0.5 * time) for k in harmonics)
    shape = np.minimum(time / attack, 1) * np.minimum((seconds - time) / release, 1)
    return np.asarray(loud * tone * shape)


def _struck(rng: np.random.Generator, decay: float, *, bright: bool = False) -> Array:
    """Make noise that falls by e in `decay` seconds. bright: without its lower half."""
    time = _time(int(6 * decay * SAMPLE_RATE))
    hiss = rng.standard_normal(len(time))
    return np.asarray((np.diff(hiss, prepend=0.0) if bright else hiss) * np.exp(-time / decay))


def _membrane(hertz: float, decay: float) -> Array:
    """Make a drum's tone: it begins an octave and a half higher and settles within 30 ms."""
    time = _time(int(6 * decay * SAMPLE_RATE))
    phase = hertz * (time + 1.8 * 0.03 * (1 - np.exp(-time / 0.03)))
    return np.asarray(np.sin(2 * np.pi * phase) * np.exp(-time / decay))


def _add(pcm: Array, start: int, sound: Array) -> None:
    pcm[start : start + len(sound)] += sound[: max(0, len(pcm) - start)]

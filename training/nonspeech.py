"""Make sounds without words, to learn that they have none, and to mix with speech.

Each function returns float32 `(samples,)` of unit variance, never the same twice: a model must learn to ignore the kind
of sound, not one example of it.
"""

from collections.abc import Callable

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE

_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 5, 7), (0, 4, 10), (0, 7, 12))
"""Chords, in semitones above their root."""


def noise(rng: np.random.Generator, samples: int) -> FloatArray:
    """Make steady noise, from white to pink and a little beyond."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum /= np.maximum(1, np.arange(len(spectrum))) ** rng.uniform(0, 0.6)
    return _unit(np.fft.irfft(spectrum, samples))


def knocks(rng: np.random.Generator, samples: int) -> FloatArray:
    """Make sounds as of keys, cutlery and doors: 1 to 12 knocks a second of 5 to 60 ms, some with a ring, over faint
    noise.
    """
    pcm = 0.003 * rng.standard_normal(samples)
    ring, longest = rng.uniform(200, 5000), rng.uniform(0.02, 0.06)
    for start in rng.integers(0, samples, max(1, int(samples / SAMPLE_RATE * rng.uniform(1, 12)))):
        length = int(rng.uniform(0.005, longest) * SAMPLE_RATE)
        time = np.arange(length) / SAMPLE_RATE
        sound = rng.standard_normal(length) + rng.uniform(0, 1) * np.sin(
            2 * np.pi * ring * rng.uniform(0.9, 1.1) * time
        )
        sound *= rng.uniform(0.2, 1.0) * np.exp(-5 * time * SAMPLE_RATE / length)
        pcm[start : start + length] += sound[: samples - start]
    return _unit(pcm)


def music(rng: np.random.Generator, samples: int) -> FloatArray:
    """Make a melody over chords, of one to three invented instruments, with or without drums."""
    pcm = np.zeros(samples)
    beat = rng.uniform(0.25, 0.8)
    root = 110 * 2 ** rng.uniform(-1, 1)
    voices = [(rng.uniform(1, 4), rng.uniform(0.8, 2.5), rng.uniform(0.5, 8)) for _ in range(rng.integers(1, 4))]
    drums = rng.uniform(0, 0.5) if rng.random() < 0.6 else 0.0
    for number in range(int(samples / SAMPLE_RATE / beat) + 1):
        start = int(number * beat * SAMPLE_RATE)
        degree = int(rng.integers(0, 12))
        chord = _TRIADS[rng.integers(len(_TRIADS))] if rng.random() < 0.7 else (0,)
        for octave, slope, decay in voices:
            for interval in chord:
                hertz = root * 2 ** int(octave) * 2 ** ((degree + interval) / 12)
                _add(pcm, start, _note(rng, hertz, beat * rng.uniform(0.8, 2.5), slope, decay))
        if rng.random() < drums * 2:
            hit = rng.standard_normal(2000) * np.exp(-np.arange(2000) / rng.uniform(80, 600))
            _add(pcm, start, 4 * drums * hit)
    return _unit(pcm + 1e-3 * rng.standard_normal(samples))


KINDS: tuple[Callable[[np.random.Generator, int], FloatArray], ...] = (noise, knocks, music)


def _note(rng: np.random.Generator, hertz: float, seconds: float, slope: float, decay: float) -> np.ndarray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * hertz * time + rng.uniform(0, 0.3) * np.sin(2 * np.pi * rng.uniform(4, 7) * time)
    parts = [k for k in range(1, 10) if k * hertz < SAMPLE_RATE / 2]
    tone = sum((np.sin(k * phase) / k**slope for k in parts), np.zeros(len(time)))
    edges = np.minimum(time / rng.uniform(0.003, 0.08), 1) * np.minimum((seconds - time) / 0.03, 1)
    sound: np.ndarray = rng.uniform(0.3, 1.0) * tone * edges * np.exp(-decay * time)
    return sound


def _add(pcm: np.ndarray, start: int, sound: np.ndarray) -> None:
    pcm[start : start + len(sound)] += sound[: max(0, len(pcm) - start)]


def _unit(pcm: np.ndarray) -> FloatArray:
    unit: FloatArray = (pcm / pcm.std()).astype(np.float32)
    return unit

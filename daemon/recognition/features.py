"""Features that tell speech from other sounds: loudness over time, and the share of steady tones in it.

The notes of music stay at one frequency for a tenth of a second and longer; the harmonics of a voice glide, the
higher the faster. So the peaks of the spectrum are compared with those of 60 ms before, as sinusoidal models of sound
do (McAulay and Quatieri 1986, "Speech analysis/synthesis based on a sinusoidal representation").
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, samples
from asrd.daemon.vad.floor import BAND, SpeechBand

Array = npt.NDArray[np.float64]

STEP = samples(0.020)
"""Distance from one spectrum to the next."""

HALF = STEP // 2
"""Distance from one level to the next; each level covers 20 ms. Levels are to show knocks and the dips between
syllables, but nothing below the band.
"""

SPAN = 1024
"""Samples per spectrum, 64 ms: long enough to separate the harmonics of a deep voice, 60 Hz apart."""

BACK = 3
"""Steps for which a tone must have lasted, 60 ms: with the spectrum's length that is 124 ms of sound."""

STILL = 0.15
"""Largest movement of a steady tone's frequency, in bins of 15.6 Hz (2.3 Hz): what noise and interpolation cause."""

FAINTEST = 1e-12
"""Lower bound of a power, as a share of full scale squared: far below the rounding of 16 bits."""


class Features(NamedTuple):
    """Features of a span of audio.

    levels: dB in the band of speech, `(m,)`, one per 10 ms. energies: of the spectra, `(n,)`, one per 20 ms. tonal:
    for each spectrum, the share of energy in tones that were there 60 ms before, `(n,)`, in [0, 1].
    """

    levels: Array
    energies: Array
    tonal: Array

    def then(self, other: "Features") -> "Features":
        """Return the features of both spans, one after the other."""
        return Features(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


class Analysis:
    """Analyse audio piece by piece; the result is the same as for the audio as a whole."""

    def __init__(self) -> None:
        self._band = SpeechBand(STEP, FAINTEST)
        self._bins = slice(*np.searchsorted(np.fft.rfftfreq(SPAN, 1 / SAMPLE_RATE), BAND))
        self._taper = np.hanning(SPAN).astype(np.float32)
        self._unlevelled = self._unseen = np.zeros(0, np.float32)
        self._features = Features(*(np.zeros(0) for _ in Features._fields))

    def add(self, pcm: FloatArray) -> Features:
        """Add `(n,)` samples; return the features of all audio so far."""
        features, self._unlevelled, self._unseen = self._look(pcm)
        self._features = features
        return features

    def peek(self, pcm: FloatArray) -> Features:
        """Return the features as `add` does, but do not keep these samples: the next piece follows those
        before them.
        """
        return self._look(pcm)[0]

    def _look(self, pcm: FloatArray) -> tuple[Features, FloatArray, FloatArray]:
        """Return all features, and the ends of the audio that are needed again for levels and for spectra."""
        unlevelled, unseen = np.concatenate([self._unlevelled, pcm]), np.concatenate([self._unseen, pcm])
        levels = self._levels(unlevelled)
        count = max(0, (len(unseen) - SPAN) // STEP + 1 - BACK)
        energies, tonal = self._tones(unseen) if count else (np.zeros(0), np.zeros(0))
        features = self._features.then(Features(levels, energies, tonal))
        return features, unlevelled[HALF * len(levels) :], unseen[STEP * count :]

    def _levels(self, pcm: FloatArray) -> Array:
        """Return the level of each whole 20 ms, in steps of 10 ms."""
        powers = np.zeros(max(0, len(pcm) // HALF - 1))
        for turn in (0, 1):
            powers[turn::2] = self._band.powers(pcm[turn * HALF :])
        return 10 * np.log10(powers)

    def _tones(self, pcm: FloatArray) -> tuple[Array, Array]:
        """Return energies and tonal shares, `(frames - BACK,)` each: the first frames only serve for comparison."""
        frames = np.lib.stride_tricks.sliding_window_view(pcm, SPAN)[::STEP] * self._taper
        around = slice(self._bins.start - 1, self._bins.stop + 1)
        magnitudes = np.abs(np.fft.rfft(frames)[:, around])
        middle = magnitudes[:, 1:-1]
        frame, peak = np.nonzero((middle > magnitudes[:, :-2]) & (middle >= magnitudes[:, 2:]))
        peak += 1
        positions = np.full(magnitudes.shape, -np.inf, np.float32)
        positions[frame, peak] = peak + _offsets(*(magnitudes[frame, peak + beside] for beside in (-1, 0, 1)))
        frame, peak = frame[later := frame >= BACK], peak[later]
        here = positions[frame, peak]
        moved = np.minimum.reduce([np.abs(here - positions[frame - BACK, peak + beside]) for beside in (-1, 0, 1)])
        frame, peak = frame[still := moved < STILL] - BACK, peak[still]
        power = np.square(magnitudes[BACK:], dtype=np.float64)
        lobes = sum(power[frame, peak + beside] for beside in (-1, 0, 1))  # a tapered tone is three bins wide
        energies = power[:, 1:-1].sum(axis=1) + FAINTEST
        return energies, np.minimum(np.bincount(frame, lobes, len(power)) / energies, 1.0)


def _offsets(below: FloatArray, here: FloatArray, above: FloatArray) -> FloatArray:
    """Return the offset of each peak `(n,)` from the middle of its bin, in bins: the summit of a parabola through
    three log-magnitudes (Smith and Serra 1987, "PARSHL").
    """
    left, middle, right = (np.log(np.maximum(one, np.float32(1e-9))) for one in (below, here, above))
    return np.asarray(0.5 * (left - right) / np.minimum(left - 2 * middle + right, np.float32(-1e-9)), np.float32)

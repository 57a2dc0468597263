"""Compute logarithms of magnitudes with what a Wav2Vec2 convolution can compute: bounded units after GELU.

A unit is GELU(2 (1 - m / t)): about 2 for a magnitude m far below its threshold t, and 0 above. Seven thresholds on a
logarithmic scale for each mel band make a staircase with soft steps. The logarithm of the band's power is a linear
combination of them, found by least squares.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from asrd.core.units import SAMPLE_RATE
from asrd.training.logmel import BANDS, BIN_HZ, HOP, TAPS, log_mel, mel_bands

FREQUENCIES = np.concatenate([40.0 * np.arange(1, 26), 1000 + 60.0 * np.arange(1, 117)])
"""In Hz: as dense as the spectrum's own up to 1 kHz, and sparser above, where bands are wide."""

THRESHOLDS = torch.logspace(math.log10(1.5), math.log10(6000), 7)
UNITS = BANDS * len(THRESHOLDS)
"""Unit `band + 80 k` has threshold `k`."""

LOUDNESS = 200.0
"""Root mean square of each frequency in speech, after the bank: so large that GELU acts as a rectifier."""

_SLOPE = 2.0


@dataclass(frozen=True, slots=True)
class Hinges:
    """A fitted front end, up to the logarithm.

    bank: `(282, 400)`, a cosine and a sine for each frequency. weight, bias: of the units, `(560, 282)` and `(560,)`.
    logs, shift: turn the units into `log_mel`, `(80, 560)` and `(80,)`.
    """

    bank: Tensor
    weight: Tensor
    bias: Tensor
    logs: Tensor
    shift: Tensor

    def units(self, pcm: Tensor) -> Tensor:
        """Turn `(clips, samples)` into units, `(clips, frames, 560)`."""
        return _units(magnitudes(pcm, self.bank), self.weight, self.bias)

    def log_mel(self, pcm: Tensor) -> Tensor:
        """Turn `(clips, samples)` into a log-mel spectrogram, `(clips, frames, 80)`, nearly Whisper's."""
        return functional.linear(self.units(pcm), self.logs, self.shift)


def bank() -> Tensor:
    """Return alternating cosines and sines under a Hann window of unit energy, `(282, 400)`."""
    time = (torch.arange(TAPS) - TAPS // 2) / SAMPLE_RATE
    window = torch.hann_window(TAPS)
    angles = 2 * math.pi * torch.from_numpy(FREQUENCIES).float()[:, None] * time
    waves = torch.stack([angles.cos(), angles.sin()], dim=1).flatten(0, 1)
    return waves * window / window.square().sum().sqrt()


def magnitudes(pcm: Tensor, filters: Tensor) -> Tensor:
    """Compute GELU(z) + GELU(-z) = z erf(z / √2), nearly |z|, of the bank's outputs z: `(clips, frames, 282)`."""
    answers = pcm.unfold(1, TAPS, HOP) @ filters.T
    return answers * torch.erf(answers * 2**-0.5)


def fit(speech: Tensor) -> Hinges:
    """Fit a front end to the `log_mel` of all kinds of speech, `(clips, samples)` of unit variance."""
    filters, loudness = _loudness(speech)
    weight, bias = _thresholded(loudness)
    found = _units(magnitudes(speech, filters), weight, bias).flatten(0, 1)
    return Hinges(filters, weight, bias, *_least_squares(found, log_mel(speech).flatten(0, 1)))


def _loudness(speech: Tensor) -> tuple[Tensor, Tensor]:
    """Scale the bank so that all frequencies are equally loud in speech.

    Returns it, and how loud they were, `(141,)`, smoothed over nine.
    """
    plain = bank()
    power = (speech.unfold(1, TAPS, HOP) @ plain.T).square().mean((0, 1)).view(-1, 2).mean(1)
    logs = np.pad(0.5 * np.log(power.numpy()), 4, mode="edge")
    loudness = torch.from_numpy(np.exp(np.convolve(logs, np.full(9, 1 / 9), "valid"))).float()
    return plain * (LOUDNESS / loudness.repeat_interleave(2))[:, None], loudness


def _thresholded(loudness: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights and biases of units of each band's mean magnitude.

    In the mean, each frequency counts by the root of its weight in the band.
    """
    table, bins = mel_bands(), np.arange(TAPS // 2 + 1) * BIN_HZ
    bands = np.stack([np.interp(FREQUENCIES, bins, table[:, band]) for band in range(BANDS)])
    density = np.where(FREQUENCIES <= 1000, 1.0, 1.5)  # frequencies of the spectrum that each stands for
    mean = torch.from_numpy(np.sqrt(bands * density)).float() * loudness
    mean = (mean / mean.sum(1, keepdim=True)).repeat_interleave(2, 1)
    return torch.cat([-_SLOPE / threshold * mean for threshold in THRESHOLDS]), torch.full((UNITS,), _SLOPE)


def _units(heard: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return functional.gelu(functional.linear(heard, weight, bias))


def _least_squares(units: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Fit each band to its own units. units: `(frames, 560)`. wanted: `(frames, 80)`."""
    logs, shift = torch.zeros(BANDS, UNITS), torch.zeros(BANDS)
    ridge = 1e-4 * len(units) * torch.eye(len(THRESHOLDS) + 1, dtype=torch.double)
    for band in range(BANDS):
        own = torch.cat([units[:, band::BANDS], torch.ones(len(units), 1)], 1).double()
        solved = torch.linalg.solve(own.T @ own + ridge, own.T @ wanted[:, band].double()).float()
        logs[band, band::BANDS], shift[band] = solved[:-1], solved[-1]
    return logs, shift

"""Magnitudes to logarithms with what a Wav2Vec2 convolution can compute: bounded units behind GELU.

A unit is GELU(2 (1 - m / t)): about 2 for a magnitude m far below its threshold t, and 0 above. Seven thresholds on a
logarithmic scale for each mel band make a staircase with soft steps, and the logarithm of the band's power is a linear
combination of them. The combination is found by least squares; some steps of Adam on all weights then do the rest.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from asrd.core.units import SAMPLE_RATE
from asrd.models.recipe.logmel import BANDS, BIN_HZ, HOP, TAPS, log_mel, mel_bands

FREQUENCIES = np.concatenate([40.0 * np.arange(1, 26), 1000 + 60.0 * np.arange(1, 117)])
"""In Hz: as dense as the spectrum's own up to 1 kHz, and coarser above, where bands are wide."""

THRESHOLDS = torch.logspace(math.log10(1.5), math.log10(6000), 7)
UNITS = BANDS * len(THRESHOLDS)
"""Unit `band + 80 k` has threshold `k`."""

LOUDNESS = 200.0
"""Root mean square of each frequency in speech behind the bank: so large that GELU is a rectifier."""

_SLOPE = 2.0
_BATCH, _CROP = 24, 2 * SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Hinges:
    """A fitted front end, up to the logarithm.

    bank: `(282, 400)`, a cosine and a sine for each frequency. weight, bias: of the units, `(560, 282)` and `(560,)`.
    logs, shift: make `log_mel` of the units, `(80, 560)` and `(80,)`.
    """

    bank: Tensor
    weight: Tensor
    bias: Tensor
    logs: Tensor
    shift: Tensor

    def units(self, pcm: Tensor) -> Tensor:
        """`(clips, samples)` to `(clips, frames, 560)`."""
        return _units(magnitudes(pcm, self.bank), self.weight, self.bias)

    def log_mel(self, pcm: Tensor) -> Tensor:
        """`(clips, samples)` to `(clips, frames, 80)`, nearly Whisper's."""
        return functional.linear(self.units(pcm), self.logs, self.shift)


def bank() -> Tensor:
    """Cosines and sines by turns under a Hann window of unit energy, `(282, 400)`."""
    time = (torch.arange(TAPS) - TAPS // 2) / SAMPLE_RATE
    window = torch.hann_window(TAPS)
    angles = 2 * math.pi * torch.from_numpy(FREQUENCIES).float()[:, None] * time
    waves = torch.stack([angles.cos(), angles.sin()], dim=1).flatten(0, 1)
    return waves * window / window.square().sum().sqrt()


def magnitudes(pcm: Tensor, filters: Tensor) -> Tensor:
    """GELU(z) + GELU(-z) = z erf(z / √2), nearly |z|, of the bank's answers z: `(clips, frames, 282)`."""
    answers = pcm.unfold(1, TAPS, HOP) @ filters.T
    return answers * torch.erf(answers * 2**-0.5)


def fit(speech: Tensor, steps: int = 300, seed: int = 0) -> Hinges:
    """Fit to the `log_mel` of all kinds of speech.

    speech: `(clips, samples)` of unit variance. steps: of Adam, after least squares.
    """
    filters, loudness = _loudness(speech)
    weight, bias = _first_units(loudness)
    found = _units(magnitudes(speech, filters), weight, bias).flatten(0, 1)
    logs, shift = _least_squares(found, log_mel(speech).flatten(0, 1))
    hinges = Hinges(filters, weight, bias, logs, shift)
    return _polished(hinges, speech, steps, torch.Generator().manual_seed(seed)) if steps else hinges


def _loudness(speech: Tensor) -> tuple[Tensor, Tensor]:
    """The bank with all frequencies equally loud in speech, and how loud they were, `(141,)`, smoothed over nine."""
    plain = bank()
    power = (speech.unfold(1, TAPS, HOP) @ plain.T).square().mean((0, 1)).view(-1, 2).mean(1)
    logs = np.pad(0.5 * np.log(power.numpy()), 4, mode="edge")
    loudness = torch.from_numpy(np.exp(np.convolve(logs, np.full(9, 1 / 9), "valid"))).float()
    return plain * (LOUDNESS / loudness.repeat_interleave(2))[:, None], loudness


def _first_units(loudness: Tensor) -> tuple[Tensor, Tensor]:
    """Units of the mean magnitude of each band, each frequency weighted by the root of its weight in the band."""
    table, bins = mel_bands(), np.arange(TAPS // 2 + 1) * BIN_HZ
    bands = np.stack([np.interp(FREQUENCIES, bins, table[:, band]) for band in range(BANDS)])
    density = np.where(FREQUENCIES <= 1000, 1.0, 1.5)  # what each frequency stands for
    mean = torch.from_numpy(np.sqrt(bands * density)).float() * loudness
    mean = (mean / mean.sum(1, keepdim=True)).repeat_interleave(2, 1)
    return torch.cat([-_SLOPE / threshold * mean for threshold in THRESHOLDS]), torch.full((UNITS,), _SLOPE)


def _units(heard: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return functional.gelu(functional.linear(heard, weight, bias))


def _least_squares(units: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Each band from its own units. units: `(frames, 560)`. wanted: `(frames, 80)`."""
    logs, shift = torch.zeros(BANDS, UNITS), torch.zeros(BANDS)
    ridge = 1e-4 * len(units) * torch.eye(len(THRESHOLDS) + 1, dtype=torch.double)
    for band in range(BANDS):
        own = torch.cat([units[:, band::BANDS], torch.ones(len(units), 1)], 1).double()
        solved = torch.linalg.solve(own.T @ own + ridge, own.T @ wanted[:, band].double()).float()
        logs[band, band::BANDS], shift[band] = solved[:-1], solved[-1]
    return logs, shift


def _polished(start: Hinges, speech: Tensor, steps: int, generator: torch.Generator) -> Hinges:
    """Adam on the mean square of what is left, in crops of 2 s. The rate falls in the second half of the steps."""
    weight, bias, logs, shift = (
        part.clone().requires_grad_() for part in (start.weight, start.bias, start.logs, start.shift)
    )
    groups = [{"params": [weight], "lr": 1e-5}, {"params": [bias, logs, shift], "lr": 1e-3}]
    adam = torch.optim.Adam(groups)
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] *= 1.0 if step < steps / 2 else 0.985
        first = int(torch.randint(max(1, speech.shape[1] - _CROP), (), generator=generator))
        crop = speech[torch.randint(len(speech), (_BATCH,), generator=generator), first : first + _CROP]
        wanted = log_mel(crop)
        made = functional.linear(_units(magnitudes(crop, start.bank), weight, bias), logs, shift)
        loss = (made - wanted).square().mean() / wanted.var()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return Hinges(start.bank, *(part.detach() for part in (weight, bias, logs, shift)))

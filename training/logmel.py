"""Whisper's log-mel spectrogram, which the front end is fitted to.

The formula is that of openai-whisper's `audio.py`: power spectra of 400 samples every 160, 80 mel bands, base-10
logarithms, at most 8 below the loudest, shifted and scaled.
"""

import numpy as np
import torch
from torch import Tensor
from transformers.audio_utils import mel_filter_bank

from asrd.core.units import SAMPLE_RATE

BANDS, TAPS, HOP = 80, 400, 160
BIN_HZ = SAMPLE_RATE / TAPS
"""Spacing of the spectrum's frequencies."""

LEVEL = 0.07
"""Root mean square of speech as Whisper usually gets it, 23 dB below full scale. Wav2Vec2 gets it at 1."""


def mel_bands() -> np.ndarray:
    """Return the weight of each frequency in each band, `(201, 80)`, on Slaney's scale."""
    bands: np.ndarray = mel_filter_bank(
        TAPS // 2 + 1, BANDS, 0.0, SAMPLE_RATE / 2, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
    )
    return bands.astype(np.float32)


def log_mel(pcm: Tensor) -> Tensor:
    """Turn `(clips, samples)` of unit variance into `(clips, frames, 80)`. Frame `i` sees samples `[160 i, 160 i +
    400)`.

    Whisper pads clips by reflection; here, as in Wav2Vec2, nothing is padded.
    """
    window = torch.hann_window(TAPS, device=pcm.device)
    spectrum = torch.stft(pcm * LEVEL, TAPS, HOP, window=window, center=False, return_complex=True).abs().square()
    bands = torch.from_numpy(mel_bands()).to(pcm.device)
    logs = (bands.T @ spectrum).clamp_min(1e-10).log10().transpose(1, 2)
    return (torch.maximum(logs, logs.amax((1, 2), keepdim=True) - 8) + 4) / 4

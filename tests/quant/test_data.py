"""Data sets: read, split without overlap, brought to one rate."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asrd.core.errors import AudioError, UsageError
from asrd.models.speech import Utterance, bundled
from asrd.quant.data import dataset, read, split


def test_names_and_paths(manifest: Path) -> None:
    assert dataset("bundled") == bundled()
    assert len(dataset(str(manifest))) == 6
    with pytest.raises(UsageError, match="no data set 'libri'"):
        dataset("libri")


def test_halves_share_nothing_and_depend_on_the_seed(manifest: Path) -> None:
    everything = dataset(str(manifest))
    one, other = split(everything, seed=1)
    assert len(one) == len(other) == 3
    assert set(one) | set(other) == set(everything)
    assert split(everything, seed=1) == (one, other)
    assert any(split(everything, seed)[0] != one for seed in range(2, 6))
    with pytest.raises(UsageError, match="at least two"):
        split(everything[:1], seed=0)


def test_other_rates_and_channels_come_out_as_16_khz_mono(tmp_path: Path) -> None:
    time = np.arange(8000) / 8000
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, np.zeros_like(tone)], axis=1), 8000, subtype="FLOAT")
    pcm = read(Utterance(tmp_path / "a.wav", "A"))
    assert pcm.dtype == np.float32
    assert len(pcm) == 16_000
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert np.abs(pcm - expected)[1000:-1000].max() < 1e-2


def test_unreadable_and_broken_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan], np.float32), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16_000)
    for name in ("text.wav", "nan.wav", "empty.wav", "missing.wav"):
        with pytest.raises(AudioError, match=name):
            read(Utterance(tmp_path / name, "A"))

"""Calibration windows are full of real, normalised audio, and always the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asrd.core.errors import UsageError
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from asrd.quant.calibrate import calibration_windows
from asrd.quant.data import dataset, read


def test_windows_are_whole_and_normalised(bundled: ModelDirectory, manifest: Path) -> None:
    utterances = dataset(str(manifest))
    windows = calibration_windows(bundled, utterances, count=100, seed=0)
    seconds = sum(len(read(utterance)) for utterance in utterances)
    assert windows.shape == (seconds // MAX_WINDOW, MAX_WINDOW)
    assert windows.dtype == np.float32
    assert abs(windows.mean()) < 0.05
    assert windows.std() == pytest.approx(1, abs=0.1)


def test_models_that_do_not_normalise_get_audio_as_it_is(bundled: ModelDirectory, manifest: Path) -> None:
    utterances = dataset(str(manifest))
    windows = calibration_windows(replace(bundled, normalize=False), utterances, count=100, seed=0)
    loudest = max(np.abs(read(utterance)).max() for utterance in utterances)
    assert 0 < np.abs(windows).max() <= loudest


def test_the_seed_decides(bundled: ModelDirectory, manifest: Path) -> None:
    utterances = dataset(str(manifest))
    first, again, other = (calibration_windows(bundled, utterances, 2, seed) for seed in (0, 0, 1))
    assert len(first) == 2
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_too_little_speech_says_how_much_it_takes(bundled: ModelDirectory, manifest: Path) -> None:
    with pytest.raises(UsageError, match=r"at least 1\.9 s"):
        calibration_windows(bundled, dataset(str(manifest))[:1], count=10, seed=0)

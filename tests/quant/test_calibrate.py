"""Calibration windows are full of real, normalised audio as the daemon cuts it, and always the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile

from asrd.core.errors import AudioError, UsageError
from asrd.core.flow import FloatArray, Window
from asrd.core.units import MAX_WINDOW
from asrd.daemon.recognition.recognizer import normalize
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.vad import WebRtcVad
from asrd.models import ModelDirectory
from asrd.quant.calibration_windows import calibration_windows
from asrd.quant.data import Clip, dataset, read

CUTS: tuple[Literal["windows", "utterances"], ...] = ("windows", "utterances")
cuts = pytest.mark.parametrize("on", CUTS)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Real speech, which voice activity detection was made for."""
    return [clip for clip in dataset("bundled") if clip.id.startswith("librivox")]


def occurs(piece: FloatArray, audio: FloatArray) -> bool:
    """Return whether `piece` is somewhere in `audio`, at any level."""
    size = len(piece)
    centred = piece - piece.mean()
    spectrum = 2 ** (len(audio) + size).bit_length()
    sums = np.fft.irfft(np.fft.rfft(audio, spectrum) * np.conj(np.fft.rfft(centred, spectrum)))[: len(audio) - size + 1]
    total, squares = np.cumsum([0.0, *audio]), np.cumsum([0.0, *np.square(audio, dtype=np.float64)])
    spread = squares[size:] - squares[:-size] - (total[size:] - total[:-size]) ** 2 / size
    best = np.max(sums / np.sqrt(np.maximum(spread, 1e-9) * np.sum(np.square(centred, dtype=np.float64))))
    return bool(best > 0.999)


@cuts
def test_windows_are_whole_normalised_and_the_clips_own(
    bundled: ModelDirectory, clips: list[Clip], on: Literal["windows", "utterances"]
) -> None:
    windows = calibration_windows(bundled, clips, 1000, 0, on)
    assert windows.dtype == np.float32
    assert windows.shape[1:] == (MAX_WINDOW,)
    assert sum(len(read(clip)) for clip in clips) // MAX_WINDOW <= len(windows)
    assert abs(windows.mean()) < 0.05
    assert windows.std() == pytest.approx(1, abs=0.15)
    everything = [read(clip) for clip in clips]
    middles = windows[:, MAX_WINDOW // 2 - 2000 : MAX_WINDOW // 2 + 2000]
    assert sum(any(occurs(middle, pcm) for pcm in everything) for middle in middles) > 0.6 * len(windows)


def test_they_are_among_those_the_daemon_cuts(bundled: ModelDirectory, clips: list[Clip]) -> None:
    """All windows of a single long clip, except the first and the last, are the daemon's windows of that file."""
    pcm = read(clips[0])
    segmenter = Segmenter(WebRtcVad(), bundled.geometry)
    items = [*segmenter.push(pcm), *segmenter.flush()]
    inner = [item for item in items if isinstance(item, Window) and not item.provisional and not item.last][1:]
    windows = calibration_windows(bundled, clips[:1], 1000, 0)
    assert inner
    for window in inner:
        kept = normalize(window.pcm, window.level)[window.left : len(window.pcm) - window.right]
        assert any(occurs(kept[:8000], other) for other in windows)


@cuts
def test_models_that_do_not_normalise_get_audio_as_it_is(
    bundled: ModelDirectory, clips: list[Clip], on: Literal["windows", "utterances"]
) -> None:
    windows = calibration_windows(replace(bundled, normalize=False), clips, 1000, 0, on)
    loudest = max(np.abs(read(clip)).max() for clip in clips)
    assert np.abs(windows).max() == pytest.approx(loudest)


@cuts
def test_the_seed_decides(bundled: ModelDirectory, clips: list[Clip], on: Literal["windows", "utterances"]) -> None:
    first, again, other = (calibration_windows(bundled, clips, 4, seed, on) for seed in (0, 0, 1))
    assert len(first) == 4
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_clips_shorter_than_a_window_are_no_waste(bundled: ModelDirectory, manifest: Path) -> None:
    short = [clip for clip in dataset(str(manifest)) if len(read(clip)) < MAX_WINDOW]
    assert sum(len(read(clip)) for clip in short) > 2 * MAX_WINDOW
    windows = calibration_windows(bundled, short, 100, 0, "utterances")
    assert len(windows) == sum(len(read(clip)) for clip in short) // MAX_WINDOW


@dataclass(frozen=True)
class Counted:
    """A sound file that counts how often it is read."""

    path: Path
    reads: list[Path]

    def read_bytes(self) -> bytes:
        self.reads.append(self.path)
        return self.path.read_bytes()


@cuts
def test_each_clip_is_read_once(bundled: ModelDirectory, manifest: Path, on: Literal["windows", "utterances"]) -> None:
    reads: list[Path] = []
    clips: Sequence[Clip] = dataset(str(manifest))
    counted = [replace(clip, audio=Counted(manifest.parent / clip.id, reads)) for clip in clips]
    calibration_windows(bundled, counted, 2, 0, on)
    assert sorted(reads) == sorted(manifest.parent / clip.id for clip in clips)


@cuts
def test_too_little_speech_says_how_much_it_takes(
    bundled: ModelDirectory, tmp_path: Path, on: Literal["windows", "utterances"]
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(9000), 16_000)
    with pytest.raises(UsageError, match=r"at least 1\.9 s"):
        calibration_windows(bundled, [Clip("a", "A", tmp_path / "a.wav")], 10, 0, on)
    with pytest.raises(UsageError, match=r"at least 1\.9 s"):
        calibration_windows(bundled, [], 10, 0, on)
    with pytest.raises(AudioError, match=r"b\.wav cannot be read"):
        calibration_windows(bundled, [Clip("b.wav", "A", tmp_path / "b.wav")], 10, 0, on)

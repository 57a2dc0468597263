import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import AudioError
from asrd.daemon.sources.resample import Resampler, check_rate, converted
from asrd.daemon.sources.timeline import Timeline

RATES = st.sampled_from([1_000, 8_000, 11_025, 16_000, 22_050, 44_100, 47_999, 48_000, 96_000, 384_000])


def noise(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (frames, channels)).astype(np.float32)


def cut(pcm: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    return np.split(pcm, sorted(at % (len(pcm) + 1) for at in cuts))


@given(RATES, st.integers(0, 20_000), st.integers(1, 3), st.lists(st.integers(0, 20_000), max_size=8))
def test_any_cutting_gives_the_same_samples(rate, frames, channels, cuts):
    pcm = noise(frames, channels)
    whole = Resampler(rate)
    expected = np.concatenate([whole.push(pcm), whole.flush()])
    pieces = Resampler(rate)
    result = np.concatenate([*(pieces.push(piece) for piece in cut(pcm, cuts)), pieces.flush()])
    assert np.array_equal(result, expected)
    assert len(result) == converted(frames, rate)
    assert np.abs(result).max(initial=0) <= 1


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 384_000])
def test_a_tone_keeps_pitch_level_and_place(rate):
    def tone(hertz):
        return 0.5 * np.sin(2 * np.pi * 440 * np.arange(hertz) / hertz).astype(np.float32)

    resampler = Resampler(rate)
    result = np.concatenate([resampler.push(tone(rate)), resampler.flush()])
    assert np.abs(result - tone(16_000))[200:-200].max() < 1e-3


def test_channels_are_averaged_and_full_scale_is_kept():
    pcm = np.array([[1.0, 0.0, 0.5], [3.0, 3.0, 3.0], [-9.0, -1.0, -1.0]], np.float32)
    assert np.array_equal(Resampler(16_000).push(pcm), np.array([0.5, 1, -1], np.float32))


@pytest.mark.parametrize("rate", [0, 999, 384_001])
def test_absurd_rates_are_refused(rate):
    with pytest.raises(AudioError, match=rf"x\.wav.*{rate} Hz"):
        check_rate(rate, "x.wav")


stretches = st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 5_000)), min_size=1, max_size=6)


@given(RATES, stretches, st.integers(0, 10**6))
def test_positions_never_drift_however_many_holes_there_are(rate, stretches, start):
    """Each segment is (frames lost before, frames)."""
    timeline = Timeline(rate, start)
    chunks = []
    for lost, frames in stretches:
        chunks += timeline.push(noise(frames), 0.0, lost, "a hole")
    chunks += timeline.finish(0.0)
    position = start
    for chunk in chunks:
        assert chunk.start == position + chunk.lost
        assert bool(chunk.lost) <= (chunk.reason == "a hole")
        position = chunk.start + len(chunk.pcm)
    total = sum(lost + frames for lost, frames in stretches)
    assert abs(position - start - converted(total, rate)) <= 1
    missing = sum(lost for lost, _ in stretches)
    assert abs(sum(chunk.lost for chunk in chunks) - missing * 16_000 / rate) <= len(stretches) + 1


def test_a_hole_does_not_smear_what_lies_on_either_side():
    timeline = Timeline(48_000)
    loud, quiet = np.full((4_800, 1), 0.5, np.float32), np.zeros((4_800, 1), np.float32)
    before = timeline.push(loud, 0.0)
    after = timeline.push(quiet, 0.0, 4_800, "a hole") + timeline.finish(0.0)
    heard = np.concatenate([chunk.pcm for chunk in before + after])
    assert len(heard) == 3_200
    assert not heard[1_600:].any()
    assert [chunk.lost for chunk in before + after if chunk.lost] == [1_600]


def test_capture_time_is_that_of_the_last_sample_and_not_of_the_filter():
    timeline = Timeline(48_000)
    chunks = [chunk for second in range(5) for chunk in timeline.push(noise(48_000), 1_000.0 + second + 1)]
    for chunk in chunks:
        assert chunk.captured == pytest.approx(1_000 + (chunk.start + len(chunk.pcm)) / 16_000, abs=1e-6)

"""Of several channels those are heard that hold more than hum, or the one that is asked for."""

import numpy as np
import pytest
import soundfile

from asrd.core.errors import UsageError
from asrd.daemon.sources.files import FileSource, Recording
from asrd.daemon.sources.opening import opened
from asrd.daemon.sources.survey import survey

RATE = 8_000


def bursts(seconds, first=0.0):
    """Noise that comes and goes, as speech does."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0, 0.1, len(time))
    return noise * (np.sin(2 * np.pi * time) > 0) * (time >= first)


def steady(kind, seconds):
    time = np.arange(round(seconds * RATE)) / RATE
    hum = sum(0.2 * np.sin(2 * np.pi * 60 * time * n) / n for n in (1, 3, 5))
    return {"silence": 0 * time, "constant": 0 * time + 0.4, "hum": hum}[kind]


@pytest.fixture
def recorded(tmp_path):
    """Write channels into a file."""

    def write(*channels, subtype="PCM_16"):
        soundfile.write(tmp_path / "a.wav", np.stack(channels, axis=1), RATE, subtype)
        return tmp_path / "a.wav"

    return write


@pytest.mark.parametrize("kind", ["silence", "constant", "hum"])
def test_a_channel_whose_level_never_changes_is_left_out(recorded, kind):
    path = recorded(bursts(3), steady(kind, 3))
    assert survey(opened(path)).heard == (0,)
    alone = np.concatenate(list(Recording(path, channel=1).blocks()))
    assert np.array_equal(np.concatenate(list(Recording(path).blocks())), alone)


def test_channels_with_sound_on_each_are_averaged(recorded):
    path = recorded(bursts(3), bursts(3, 1.0))
    assert survey(opened(path)).heard == (0, 1)
    both = [np.concatenate(list(Recording(path, channel=number).blocks())) for number in (1, 2)]
    assert np.concatenate(list(Recording(path).blocks())) == pytest.approx(np.mean(both, axis=0), abs=1e-4)


def test_all_are_heard_if_there_is_nothing_else(recorded):
    assert survey(opened(recorded(steady("hum", 3), steady("silence", 3)))).heard == (0, 1)


def test_somebody_who_speaks_late_is_heard(recorded):
    """It is not enough to look at the beginning."""
    path = recorded(bursts(90), bursts(90, 80.0))
    assert survey(opened(path)).heard == (0, 1)


def test_a_source_plays_one_channel(recorded, gather, audio):
    path = recorded(bursts(3), steady("hum", 3))
    played = audio(gather(FileSource("a", path, "fast", channel=2)))
    assert np.array_equal(played, np.concatenate(list(Recording(path, channel=2).blocks())))
    with pytest.raises(UsageError, match=r"a\.wav has no channel 3; it has 2 channels, the first is 1"):
        gather(FileSource("a", path, "fast", channel=3))


@pytest.mark.parametrize("number", [0, 3])
def test_a_channel_that_is_not_there_is_wrong_usage(recorded, number):
    with pytest.raises(UsageError, match=f"has no channel {number}"):
        next(Recording(recorded(bursts(1), bursts(1)), channel=number).blocks())


@pytest.mark.parametrize(("peak", "kept"), [(20_000.0, 1.0), (2.0, 1.0), (0.5, 0.5)])
def test_floats_are_scaled_down_only_if_they_exceed_full_scale(recorded, caplog, peak, kept):
    loud = bursts(3)
    path = recorded(loud / np.abs(loud).max() * peak, subtype="FLOAT")
    assert survey(opened(path)).peak == pytest.approx(max(1, peak))
    found = np.concatenate(list(Recording(path).blocks()))
    assert np.sqrt(np.mean(found**2)) == pytest.approx(np.sqrt(np.mean(loud**2)) / np.abs(loud).max() * kept, rel=0.05)
    told = [record.getMessage() for record in caplog.records]
    assert told == ([f"{path} reaches {peak:g} times full scale; it is scaled down"] if peak > 1 else [])

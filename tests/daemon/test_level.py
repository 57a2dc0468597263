"""Windows are normalised by the level of the utterance so far, unless it has become much quieter."""

import numpy as np
import pytest

from asrd.core.flow import FloatArray, Level
from asrd.core.units import samples
from asrd.daemon.segmentation.level import ABOVE, RECENT, Moments
from asrd.daemon.segmentation.utterance import OpenUtterance

FRAME = samples(0.02)


def hiss(length: float, deviation: float, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).normal(0.1, deviation, samples(length)).astype(np.float32)


def level(pcm: FloatArray) -> Level:
    """Feed the audio as utterances are fed, frame by frame, and return the level."""
    moments = Moments()
    for start in range(0, len(pcm), FRAME):
        moments.add(pcm[start : start + FRAME])
    return moments.level()


def test_it_is_that_of_all_there_was() -> None:
    """This also holds where the level rises, and in a pause as long as any within an utterance."""
    for parts in ((0.1,), (0.01, 0.1), (0.1, 0.07)):
        pcm = np.concatenate([hiss(2.0, deviation) for deviation in parts])
        found = level(pcm)
        assert (found.mean, found.deviation) == pytest.approx((pcm.mean(), pcm.std()), rel=1e-4)
    paused = np.concatenate([hiss(2.0, 0.1), np.zeros(samples(0.9), np.float32)])
    assert level(paused).deviation == pytest.approx(paused.std(), rel=1e-5)
    assert Moments().level() == Level(0.0, 0.0)


def test_it_follows_speech_that_falls_by_40_decibels() -> None:
    loud, quiet = hiss(10.0, 0.1), hiss(3.0, 0.001, 1)
    after = level(np.concatenate([loud, quiet])).deviation
    assert after == pytest.approx(ABOVE * quiet[-RECENT:].std(), rel=1e-5)
    assert level(np.concatenate([loud, quiet, loud])).deviation > 0.08


@pytest.mark.parametrize("silence", [1.0, 1.5, 3.0])
def test_a_long_pause_does_not_make_the_words_before_it_loud(silence: float) -> None:
    """The last window holds these words, and is cut after the pause."""
    speech, pause = hiss(2.0, 0.1), np.zeros(samples(silence), np.float32)
    spoken = OpenUtterance.at(0, 0, 0)
    for start in range(0, len(speech), FRAME):
        spoken.add(speech[start : start + FRAME], voiced=True)
    for start in range(0, len(pause), FRAME):
        spoken.add(pause[start : start + FRAME], voiced=False)
    assert spoken.moments.level().deviation == pytest.approx(np.concatenate([speech, pause]).std(), rel=1e-5)


def test_memory_does_not_grow_with_the_utterance() -> None:
    moments = Moments()
    for _ in range(10_000):
        moments.add(np.zeros(FRAME, np.float32))
    assert len(moments._blocks) == RECENT // FRAME

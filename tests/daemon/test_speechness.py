"""Noise that a detector takes for speech gives no words; speech keeps its own, also in noise, clipped or offset."""

import numpy as np
import pytest

from asrd.backends import Backend, load
from asrd.core.flow import FloatArray, Hypothesis, Level, Window
from asrd.core.units import Samples, samples
from asrd.daemon.offline import transcribe
from asrd.daemon.segmenter import Segmenter
from asrd.daemon.sources.files import read_blocks
from asrd.daemon.speechness import SHARE, Evidence, steadiness
from asrd.daemon.vad import create
from asrd.daemon.vad.floor import SpeechBand
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as bundled_speech


@pytest.fixture(scope="module")
def backend(bundled: ModelDirectory) -> Backend:
    return load("fp16", bundled)


@pytest.fixture(scope="module")
def sentence() -> FloatArray:
    """A real voice, with pauses around it."""
    spoken = np.concatenate(list(read_blocks(bundled_speech("real")[1].audio)))
    return np.pad(spoken, (samples(2.0), samples(1.5))).astype(np.float32)


def noise(length: float, level: float, seed: int = 0) -> FloatArray:
    """Of a fan: below 300 Hz mostly."""
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples(length)))
    shaped = np.fft.irfft(white / (1 + np.fft.rfftfreq(samples(length), 1 / 16_000) / 300))
    return (shaped / shaped.std() * 10 ** (level / 20)).astype(np.float32)


def heard(backend: Backend, pcm: FloatArray) -> list[str]:
    clipped = np.clip(pcm, -1, 1).astype(np.float32)
    return [one.hypothesis.text for one in transcribe([clipped], backend, Segmenter(create(), backend.model.geometry))]


def window(pcm: FloatArray, *, last: bool = False) -> Window:
    end = Samples(len(pcm))
    return Window(0, Samples(0), pcm, Samples(0), Samples(0), Level(0, 1), last=last, reason="x" * last, speech_end=end)


def test_a_noise_that_begins_has_no_words(backend: Backend) -> None:
    """40 dB louder from one moment to the next: an utterance perhaps, but an empty one."""
    quiet, loud = noise(6, -65), noise(8, -25, 1)
    assert "".join(heard(backend, np.concatenate([quiet, loud, quiet]))) == ""


def test_steady_noise_silence_and_an_offset_are_no_utterances(backend: Backend) -> None:
    silence = np.zeros(samples(10), np.float32)
    for pcm in (silence, silence + np.float32(0.3), noise(10, -60), noise(10, -40), noise(10, -20)):
        assert heard(backend, pcm) == []


@pytest.mark.parametrize("snr", [20, 5])
def test_speech_in_noise_is_not_taken_for_it(backend: Backend, sentence: FloatArray, snr: float) -> None:
    level = 20 * np.log10(np.std(sentence))
    assert "".join(heard(backend, sentence + noise(len(sentence) / 16_000, level - snr)))


def test_bad_recordings_are_still_heard(backend: Backend, sentence: FloatArray) -> None:
    """40 dB quieter, clipped, with an offset, or after something 40 dB louder: about as many letters as clean."""
    clean = len("".join(heard(backend, sentence)))
    quiet = sentence * np.float32(0.01)
    offset = heard(backend, sentence * np.float32(0.5) + np.float32(0.3))
    for texts in (heard(backend, quiet), heard(backend, sentence * 10), offset):
        assert len("".join(texts)) > 0.5 * clean
    assert len("".join(heard(backend, np.concatenate([sentence, quiet])))) > 1.4 * clean


def test_what_cannot_be_told_yet_is_shown_and_nothing_is_promised(sentence: FloatArray) -> None:
    said = Hypothesis("YES", stable=3, confidence=0.5)
    assert Evidence().weigh(window(noise(0.3, -20)), said) == Hypothesis("YES", stable=0, confidence=0.5)
    assert Evidence().weigh(window(noise(0.3, -20), last=True), said) == said
    assert Evidence().weigh(window(noise(1.5, -20)), said) == Hypothesis("")
    evidence = Evidence()
    assert evidence.weigh(window(sentence[samples(2.0) :][: samples(1.5)]), said) == said
    assert evidence.weigh(window(noise(1.5, -20), last=True), said) == said


def test_a_single_tone_is_as_steady_as_can_be() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(samples(2)) / 16_000).astype(np.float32)
    assert steadiness(SpeechBand(samples(0.020)).powers(tone)) == 1.0 > SHARE

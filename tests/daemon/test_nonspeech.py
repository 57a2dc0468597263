"""Noise, knocks and notes that a detector takes for speech give no words; speech keeps its own, also in noise, clipped,
whispered or with an offset.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from asrd.backends import Backend, load
from asrd.core.flow import FloatArray, Hypothesis, Level, Window
from asrd.core.units import Samples, samples
from asrd.daemon.offline import transcribe
from asrd.daemon.recognition.features import Analysis, Features
from asrd.daemon.recognition.nonspeech import (
    HELD_SHARE,
    STEADY_SHARE,
    TONAL,
    Evidence,
    dips,
    is_speech,
    steadiness,
    sustained,
    tonality,
)
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.sources.files import read_blocks
from asrd.daemon.vad import create
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
    """A fan's noise: mostly below 300 Hz."""
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples(length)))
    shaped = np.fft.irfft(white / (1 + np.fft.rfftfreq(samples(length), 1 / 16_000) / 300))
    return (shaped / shaped.std() * 10 ** (level / 20)).astype(np.float32)


def knocks(length: float, seed: int = 0) -> FloatArray:
    """Typing: eight noises of 10 ms per second."""
    rng, pcm = np.random.default_rng(seed), np.zeros(samples(length))
    for start in rng.integers(0, len(pcm) - 800, int(8 * length)):
        pcm[start : start + 800] += rng.standard_normal(800) * np.exp(-np.arange(800) / 60)
    return (0.2 * pcm + 1e-4 * rng.standard_normal(len(pcm))).astype(np.float32)


def notes(length: float, seed: int = 0) -> FloatArray:
    """A melody over a chord, plucked, five notes per second."""
    rng, pcm, time = np.random.default_rng(seed), np.zeros(samples(length) + 16_000), np.arange(16_000) / 16_000
    for start in range(0, samples(length), 3200):
        for hertz in rng.choice([131, 165, 196, 262, 294, 330, 392, 440, 523], 3, replace=False):
            tone = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 7))
            pcm[start : start + 16_000] += 0.05 * tone * np.exp(-4 * time)
    return pcm[: samples(length)].astype(np.float32)


def whispered(pcm: FloatArray) -> FloatArray:
    """Replace the voice by noise: keep its spectrum over time, without the harmonics, which 8 ms cannot resolve."""
    size, hop = 128, 64
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(pcm, size), size)[::hop] * np.hanning(size)
    envelope = np.abs(np.fft.rfft(frames, 4 * size))
    hiss = np.fft.rfft(np.random.default_rng(0).standard_normal((len(frames), size)) * np.hanning(size), 4 * size)
    parts, whole = np.fft.irfft(hiss * envelope)[:, : 2 * size], np.zeros(len(frames) * hop + 2 * size)
    for number, part in enumerate(parts):
        whole[number * hop : number * hop + 2 * size] += part
    return (whole[size : size + len(pcm)] * (pcm.std() / whole.std())).astype(np.float32)


def features(pcm: FloatArray) -> Features:
    return Analysis().add(pcm)


def heard(backend: Backend, pcm: FloatArray) -> list[str]:
    clipped = np.clip(pcm, -1, 1).astype(np.float32)
    return [one.hypothesis.text for one in transcribe([clipped], backend, Segmenter(create(), backend.model.geometry))]


def window(pcm: FloatArray, *, last: bool = False) -> Window:
    end = Samples(len(pcm))
    return Window(0, Samples(0), pcm, Samples(0), Samples(0), Level(0, 1), last=last, reason="x" * last, speech_end=end)


def test_a_noise_that_begins_has_no_words(backend: Backend) -> None:
    """A noise that suddenly gets 40 dB louder may open an utterance, but an empty one."""
    quiet, loud = noise(6, -65), noise(8, -25, 1)
    assert "".join(heard(backend, np.concatenate([quiet, loud, quiet]))) == ""


def test_steady_noise_silence_and_an_offset_are_no_utterances(backend: Backend) -> None:
    silence = np.zeros(samples(10), np.float32)
    for pcm in (silence, silence + np.float32(0.3), noise(10, -60), noise(10, -40), noise(10, -20)):
        assert heard(backend, pcm) == []


@pytest.mark.parametrize("sound", [knocks, notes])
def test_typing_and_music_are_utterances_without_words(backend: Backend, sound: Callable[[float], FloatArray]) -> None:
    """The detector takes them for speech; otherwise this would show nothing."""
    pcm = np.pad(sound(10), (32_000, 16_000)).astype(np.float32)
    windows = [item for item in Segmenter(create(), backend.model.geometry).push(pcm) if isinstance(item, Window)]
    assert windows
    assert "".join(heard(backend, pcm)) == ""


@pytest.mark.parametrize("snr", [20, 5])
def test_speech_in_noise_is_not_taken_for_it(backend: Backend, sentence: FloatArray, snr: float) -> None:
    level = 20 * np.log10(np.std(sentence))
    assert "".join(heard(backend, sentence + noise(len(sentence) / 16_000, level - snr)))


def test_bad_recordings_are_still_heard(backend: Backend, sentence: FloatArray) -> None:
    """Speech that is 40 dB quieter, clipped, with an offset, or after something 40 dB louder gives about as many
    letters as clean speech.
    """
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


def test_previews_settle_nothing(sentence: FloatArray) -> None:
    """The number of previews depends on the speed of the machine, and the text must not."""
    said, evidence = Hypothesis("YES", stable=3, confidence=0.5), Evidence()
    preview = replace(window(sentence[samples(2.0) :][: samples(1.5)]), provisional=True)
    assert evidence.weigh(preview, said) == replace(said, stable=0)
    assert evidence.weigh(window(noise(1.5, -20)), said) == Hypothesis("")


def test_what_two_windows_hear_counts_once(sentence: FloatArray) -> None:
    """The second window keeps what was the right context of the first."""
    pcm, evidence, context = sentence[samples(2.0) :], Evidence(), samples(0.4)
    for start in (0, samples(0.6)):
        one = window(pcm[start : start + samples(1.0)])
        part = replace(one, start=Samples(start), right=context, speech_end=Samples(start + len(one.pcm)))
        evidence.weigh(part, Hypothesis("YES"))
    for heard, whole in zip(evidence._analysis.peek(pcm[:0]), Analysis().add(pcm[: samples(1.2)]), strict=True):
        np.testing.assert_allclose(heard, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("piece", [1600, 5000, 31])
def test_traits_do_not_depend_on_how_audio_was_cut(sentence: FloatArray, piece: int) -> None:
    """Nor do they depend on audio ahead, as in provisional windows."""
    pcm, analysis = sentence[samples(2.0) :][: samples(1.0)], Analysis()
    for start in range(0, len(pcm), piece):
        analysis.peek(pcm[start : start + 2 * piece])
        found = analysis.add(pcm[start : start + piece])
    for one, other in zip(found, features(pcm), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_single_tone_is_as_steady_tonal_and_sustained_as_can_be() -> None:
    tone = features((0.5 * np.sin(2 * np.pi * 440 * np.arange(samples(2)) / 16_000)).astype(np.float32))
    assert steadiness(tone.levels)[0] == 1.0 > STEADY_SHARE
    assert tonality(tone)[0] > 0.99
    assert (sustained(tone.levels), dips(tone.levels)) == (1.0, 0.0)


def test_a_gliding_tone_is_not_tonal() -> None:
    """The pitch of a voice moves by some per cent in a tenth of a second."""
    time = np.arange(samples(2)) / 16_000
    pitch = 2 * np.pi * np.cumsum(120 * (1 + 0.15 * np.sin(2 * np.pi * 1.5 * time))) / 16_000
    voice = sum(np.sin(k * pitch) / k for k in range(1, 25))
    assert tonality(features((0.1 * voice).astype(np.float32)))[0] < TONAL / 2


def test_what_each_sound_is_told_by(sentence: FloatArray) -> None:
    """No feature takes speech for another sound, even 40 dB quieter, whispered or in noise."""
    typed, played = features(knocks(3)), features(notes(3))
    assert sustained(typed.levels) < HELD_SHARE
    assert tonality(played)[0] > TONAL
    assert [is_speech(typed), is_speech(played)] == [False, False]
    spoken = sentence[samples(2.0) :][: samples(2.5)]
    hiss = np.random.default_rng(2).normal(0, spoken.std(), len(spoken)).astype(np.float32)
    for pcm in (spoken, spoken * np.float32(0.01), whispered(spoken), spoken + hiss, spoken + knocks(2.5)):
        assert is_speech(features(pcm))


def test_speech_that_follows_typing_in_one_utterance_is_shown(sentence: FloatArray) -> None:
    """Nothing is promised before the speech."""
    said, evidence = Hypothesis("YES", stable=3, confidence=0.5), Evidence()
    assert evidence.weigh(window(knocks(2)), said) == Hypothesis("")
    assert evidence.weigh(window(sentence[samples(2.0) :][: samples(1.9)], last=True), said) == said

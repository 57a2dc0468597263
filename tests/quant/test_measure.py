"""Backends are measured as the daemon runs them, taking turns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asrd.backends import Backend, LoadedModel, LoadOptions, load
from asrd.core.flow import FloatArray, Window
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE, Samples
from asrd.daemon.offline import transcribe
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.vad import WebRtcVad
from asrd.models import ModelDirectory
from asrd.quant.data import Clip, dataset, read
from asrd.quant.evaluation.measure import cut, exact_match, listen, measure, text_of
from asrd.quant.evaluation.score import score

LONG, SHORT = 3.0, 1.5
"""Seconds: more than a window holds, and less."""


class Diary(LoadedModel):
    """Wraps a backend and records when it is used."""

    def __init__(self, name: str, backend: Backend, used: list[str]) -> None:
        super().__init__(backend.model)
        self._name, self._backend, self._used = name, backend, used

    @property
    def arithmetic(self) -> str:
        return self._backend.arithmetic

    def infer(self, batch: FloatArray) -> FloatArray:
        self._used.append(self._name)
        return self._backend.logits(batch)


@pytest.fixture(scope="module")
def backend(request: pytest.FixtureRequest) -> Backend:
    model: ModelDirectory = request.getfixturevalue("bundled")
    return load("fp16", model, LoadOptions(cache=False))


@pytest.fixture(scope="module")
def speech() -> list[Clip]:
    """Bundled clips: two long ones and two short ones."""
    some = dataset("bundled")[::4]
    seconds = {clip.id: len(read(clip)) / SAMPLE_RATE for clip in some}
    long = [clip for clip in some if seconds[clip.id] > LONG]
    short = [clip for clip in some if seconds[clip.id] < SHORT]
    return [*long[:2], *short[:2]]


def quiet(backend: Backend) -> Segmenter:
    """Return a segmenter that cuts no previews."""
    return Segmenter(WebRtcVad(), backend.model.geometry, SegmenterSettings(partial_interval=Samples(0)))


def test_backends_take_turns_and_another_goes_first_each_time(backend: Backend, speech: list[Clip]) -> None:
    used: list[str] = []
    advanced: list[int] = []
    backends = {name: Diary(name, backend, used) for name in "abc"}
    measured = measure(backends, speech, lambda: advanced.append(len(used)))
    expected = ["a", "b", "c"]  # each warms up once
    for clip, order in zip(speech, ("abc", "bca", "cab", "abc"), strict=False):
        expected += [name for name in order for _ in listen(backend, read(clip)).windows]
    assert used == expected
    assert len(advanced) == 3 * len(speech)
    assert advanced[-1] == len(used)
    assert list(measured) == ["a", "b", "c"]


def test_what_is_measured_is_what_was_heard(backend: Backend, speech: list[Clip]) -> None:
    found = measure({"fp16": backend}, speech)["fp16"]
    assert found.backend == "fp16"
    assert found.arithmetic == backend.arithmetic
    assert found.texts == tuple(text_of(backend, clip) for clip in speech)
    assert found.score == score([clip.text for clip in speech], found.texts)
    windows = [window for clip in speech for window in listen(backend, read(clip)).windows]
    full = [window for window in windows if window.length == MAX_WINDOW]
    assert 0 < len(full) < len(windows)
    assert len(found.window_seconds) == len(full)
    assert min(found.window_seconds) > 0
    brought = sum(window.brought for window in full) / SAMPLE_RATE
    assert found.real_time_factor == pytest.approx(sum(found.window_seconds) / brought)


def test_the_text_is_the_daemons(backend: Backend, speech: list[Clip]) -> None:
    for clip in speech:
        segmenter = Segmenter(WebRtcVad(), backend.model.geometry)
        utterances = transcribe([read(clip)], backend, segmenter)
        assert text_of(backend, clip) == " ".join(filter(None, (found.hypothesis.text for found in utterances)))


def test_windows_are_the_segmenters_without_previews(backend: Backend, speech: list[Clip]) -> None:
    pcm = read(speech[0])
    segmenter = Segmenter(WebRtcVad(), backend.model.geometry)
    items = [item for item in (*segmenter.push(pcm), *segmenter.flush()) if isinstance(item, Window)]
    assert any(item.provisional for item in items)
    lasting = [(item.start, len(item.pcm), item.last) for item in items if not item.provisional]
    assert [(one.start, len(one.pcm), one.last) for one in cut(pcm, quiet(backend)) if not one.provisional] == lasting


def test_bundled_speech_is_heard(backend: Backend, speech: list[Clip]) -> None:
    said = [clip.text for clip in speech]
    heard = score(said, [text_of(backend, clip) for clip in speech])
    guessed = score(said, ["THE" for _ in speech])
    assert heard.cer.value < 0.8 * guessed.cer.value


def test_where_no_clip_fills_a_window_all_windows_count(backend: Backend, tmp_path: Path, babble: FloatArray) -> None:
    soundfile.write(tmp_path / "short.wav", babble[:16_000], SAMPLE_RATE)
    found = measure({"fp16": backend}, [Clip("short", "A WORD", tmp_path / "short.wav")])["fp16"]
    assert len(found.window_seconds) == len(listen(backend, babble[:16_000]).windows) > 0
    assert found.real_time_factor > 0


def test_where_full_windows_only_asked_all_windows_count(backend: Backend, speech: list[Clip], tmp_path: Path) -> None:
    """A word late in a clip that ends in the following pause: the window that asks is full, the last one is not."""
    pcm = np.concatenate([np.zeros(22_000, np.float32), read(speech[0])[4000:10_000], np.zeros(4000, np.float32)])
    windows = listen(backend, pcm).windows
    assert [(window.length == MAX_WINDOW, window.brought > 0) for window in windows] == [(True, False), (False, True)]
    soundfile.write(tmp_path / "word.wav", pcm, SAMPLE_RATE, subtype="FLOAT")
    found = measure({"fp16": backend}, [Clip("word", "A WORD", tmp_path / "word.wav")])["fp16"]
    assert len(found.window_seconds) == len(windows)
    assert found.real_time_factor > 0


def test_silence_has_no_windows_and_no_text(backend: Backend, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(32_000, np.float32), SAMPLE_RATE)
    found = measure({"fp16": backend}, [Clip("silence", "A WORD", tmp_path / "silence.wav")])["fp16"]
    assert (found.texts, found.window_seconds, found.real_time_factor) == (("",), (), 0.0)
    assert found.score.wer.value == 1.0


def test_exact_match_is_up_to_normalisation(backend: Backend, speech: list[Clip]) -> None:
    found = measure({"fp16": backend}, speech)["fp16"]
    lower = replace(found, texts=tuple(text.lower() + "." for text in found.texts))
    other = replace(found, texts=("OTHER", *found.texts[1:]))
    assert exact_match(found, lower) == 1
    assert exact_match(other, found) == (len(speech) - 1) / len(speech)

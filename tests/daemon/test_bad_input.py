"""Bad recordings crash nothing, move no clock, and keep what was said in them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from asrd.backends import Backend, load
from asrd.core.events import Error, Final, Gap, Partial, Started
from asrd.core.flow import FloatArray
from asrd.daemon.offline import transcribe
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.sources.files import read_blocks
from asrd.daemon.vad import create
from asrd.models import ModelDirectory

from .conftest import Harness, follow_each_other

QUIET = np.float32(0.01)


@pytest.fixture(scope="module")
def backend(bundled: ModelDirectory) -> Backend:
    return load("fp16", bundled)


def at_once(one: FloatArray, other: FloatArray) -> FloatArray:
    return one + np.resize(other, len(one))


def steps(one: FloatArray, other: FloatArray) -> FloatArray:
    """The level falls by 40 dB within an utterance, rises again in the next, and falls between two."""
    half = np.arange(len(one)) < len(one) // 2
    return np.concatenate([np.where(half, one, one * QUIET), np.where(half, one * QUIET, one), other * QUIET, other])


BAD: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "clipped": lambda one, _: one * 10,
    "offset": lambda one, _: one + np.float32(0.3),
    "at once": at_once,
    "steps": steps,
    "full scale": lambda one, _: np.sign(one) + np.float32(0),
}


@pytest.mark.parametrize("kind", BAD)
def test_the_clock_is_exact_and_utterances_follow_each_other(
    backend: Backend, sentences: list[FloatArray], kind: str
) -> None:
    pcm = np.clip(BAD[kind](sentences[0], sentences[1]), -1, 1).astype(np.float32)
    segmenter = Segmenter(create(), backend.model.geometry)
    found = list(transcribe([pcm], backend, segmenter))
    assert bool(found) == (kind != "full scale"), "what never varies is no speech"
    bounds = [0, *(bound for one in found for bound in (one.start, one.end)), len(pcm)]
    assert bounds == sorted(bounds)
    assert segmenter.position == len(pcm) - len(pcm) % create().frame
    assert all(follow_each_other(one.hypothesis.words, one.start, one.end) for one in found)


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW"])
def test_a_telephone_s_file_has_its_words_at_their_times(
    backend: Backend, sentences: list[FloatArray], tmp_path: Path, subtype: str
) -> None:
    """Twice as many samples as in the file, and text much like that of the original."""
    path = tmp_path / "telephone.wav"
    narrow = soxr.resample(sentences[1], 16_000, 8000)
    soundfile.write(path, narrow, 8000, subtype=subtype)
    pcm = np.concatenate(list(read_blocks(path)))
    assert len(pcm) == 2 * len(narrow)
    wide, phone = (
        list(transcribe([audio], backend, Segmenter(create(), backend.model.geometry))) for audio in (sentences[1], pcm)
    )
    assert len(wide) == len(phone)
    for one, other in zip(wide, phone, strict=True):
        assert abs(one.start - other.start) <= 3200
        assert len(other.hypothesis.text) > 0.5 * len(one.hypothesis.text)


async def test_a_daemon_hears_it_all_without_a_word_of_complaint(harness: Harness, sentences: list[FloatArray]) -> None:
    """One stream of all of it: no error, no gap, each utterance has its final, in order and within the stream."""
    pieces = [np.clip(make(sentences[1], sentences[2]), -1, 1).astype(np.float32) for make in BAD.values()]
    length = sum(map(len, pieces))
    async with harness.running() as daemon:
        await harness.play(*pieces)
        await harness.until(lambda item: isinstance(item, Final) and item.end > length - len(pieces[-1]))
        assert daemon.reporter.status().streams["a"].position <= length
    finals = harness.of(Final)
    assert harness.of(Error) == harness.of(Gap) == []
    assert [one.utterance for one in harness.of(Started)] == [one.utterance for one in finals]
    bounds = [bound for one in finals for bound in (one.start, one.end)]
    assert bounds == sorted(bounds)
    assert bounds[-1] <= length
    assert all(follow_each_other(one.words, one.start, one.end) for one in [*harness.of(Partial), *finals])

"""The streaming tax compares several ways of hearing."""

from collections.abc import Iterator

import numpy as np
import pytest
from streaming_paths import streamed, whole, windowed

from asrd.backends import Backend, load
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, Samples
from asrd.daemon.offline import transcribe
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.recognition.stitcher import SLACK
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.files import read_blocks
from asrd.daemon.vad import WebRtcVad
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as speech

SETTINGS = SegmenterSettings()


@pytest.fixture(scope="module")
def sentence() -> FloatArray:
    return np.concatenate([*read_blocks(speech("real")[1].audio)])


@pytest.fixture(scope="module")
def backend(bundled: ModelDirectory) -> Iterator[Backend]:
    loaded = load("fp16", bundled)
    yield loaded
    loaded.close()


def test_within_a_window_all_is_one(backend: Backend, sentence: FloatArray) -> None:
    short = sentence[:MAX_WINDOW]
    assert windowed(backend, short, SETTINGS).text == whole(backend, short).text
    assert whole(backend, short).joints == ()


def test_windows_cover_the_recording_and_meet_where_kept_parts_do(backend: Backend, sentence: FloatArray) -> None:
    heard = windowed(backend, sentence, SETTINGS)
    first, stride = MAX_WINDOW - SETTINGS.right_context - SETTINGS.tail, backend.model.geometry.stride
    for number, joint in enumerate(heard.joints):
        kept = first + number * SETTINGS.hop
        assert kept - SLACK - stride <= joint.place <= kept + stride
    places = [joint.place for joint in heard.joints]
    assert len(places) >= 2
    assert [joint.end for joint in heard.joints] == [*places[1:], len(sentence)]
    assert [joint.start for joint in heard.joints] == [0, *places[:-1]]
    assert heard.committed > len(sentence)
    assert heard.previewed > 0


def test_streamed_is_the_daemons_text(backend: Backend, sentence: FloatArray) -> None:
    segmenter = Segmenter(WebRtcVad(), backend.model.geometry)
    said = [one.hypothesis.text for one in transcribe([sentence], backend, segmenter)]
    heard = streamed(backend, sentence, SETTINGS)
    assert heard.text == " ".join(said)
    assert heard.words[-1].end <= Samples(len(sentence))


def test_another_decoder_reads_the_same_frames(backend: Backend, bundled: ModelDirectory, sentence: FloatArray) -> None:
    beam = make_decoding(DecoderOptions("beam"), bundled)
    said = [
        one.hypothesis.text for one in transcribe([sentence], backend, Segmenter(WebRtcVad(), bundled.geometry), beam)
    ]
    heard = streamed(backend, sentence, SETTINGS, {"beam": beam})
    assert heard.texts == {"greedy": heard.text, "beam": " ".join(said)}
    assert heard.texts["beam"] != heard.text
    assert list(whole(backend, sentence, {"beam": beam}).texts) == ["greedy", "beam"]


@pytest.mark.parametrize("kind", ["base_model", "lv60_model"])
def test_models_of_every_norm_are_heard(request: pytest.FixtureRequest, kind: str, sentence: FloatArray) -> None:
    """Group norm takes statistics over the whole window, which is why windows are full of real audio."""
    backend = load("fp16", request.getfixturevalue(kind))
    assert whole(backend, sentence).words
    assert windowed(backend, sentence, SETTINGS, known=True).words
    backend.close()

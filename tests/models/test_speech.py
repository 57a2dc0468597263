"""The bundled recordings exist, can be read, and match their manifest."""

import random

import pytest
import soundfile

from asrd.core.units import SAMPLE_RATE
from asrd.models.speech import bundled
from asrd.models.speech.make import SUFFIX, sentences


def test_recordings_are_what_the_manifest_says() -> None:
    for utterance in bundled():
        info = soundfile.info(utterance.audio)
        assert (info.samplerate, info.channels) == (SAMPLE_RATE, 1)
        assert info.duration == pytest.approx(utterance.seconds, abs=0.01)
        assert set(utterance.text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ' ")


def test_has_real_and_synthetic_speech_of_several_voices() -> None:
    assert len(bundled("real")) == 5
    assert len({utterance.speaker for utterance in bundled("synthetic")}) >= 3
    assert len(bundled()) == len(bundled("real")) + len(bundled("synthetic"))


def test_every_recording_is_listed() -> None:
    folder = bundled()[0].audio.parent
    present = {path for path in folder.iterdir() if path.suffix in (".flac", ".opus")}
    assert present == {utterance.audio for utterance in bundled()}


def test_there_is_enough_to_measure_with_and_it_stays_small() -> None:
    folder = bundled()[0].audio.parent
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 4_000_000
    assert sum(len(utterance.text.split()) for utterance in bundled()) > 2000
    assert len({utterance.text for utterance in bundled()}) > 220


def test_synthetic_clips_are_the_grammars_sentences() -> None:
    spoken = sentences(random.Random(0))
    made = [utterance.text for utterance in bundled() if utterance.audio.suffix == SUFFIX]
    assert made == [next(spoken).upper() for _ in made]

"""A recording that is heard anew changes settings and hot words where they were changed."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from asrd.backends import Backend, load
from asrd.core.control import AddWords
from asrd.core.events import Final, Started
from asrd.core.flow import FloatArray
from asrd.core.units import samples, seconds
from asrd.daemon.recognition.decoding import Decoder
from asrd.daemon.recognition.decoding.make import BeamDecoding
from asrd.daemon.recorder import tape
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.replay import environment
from asrd.daemon.replay.retranscribe import retranscribe
from asrd.daemon.replay.takes import Take, takes
from asrd.models import ModelDirectory

from .conftest import Harness, drive

BOOSTS = {"zebra": 2.0}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, sentences: list[FloatArray]) -> list[Take]:
    """One sentence as usual; one that is cut every two seconds, with a hot word; and one once more."""
    directory = tmp_path_factory.mktemp("recording")
    harness = Harness(directory, record=RecordingOptions(directory / "tape"))

    async def scenario() -> None:
        async with harness.running() as daemon:

            def rests(position: int) -> bool:
                heard = daemon.streams[0].status.position > position - 1600
                return heard and len(harness.of(Started)) == len(harness.of(Final)) > 0

            await harness.play(sentences[1])
            await harness.until(lambda _: rests(len(sentences[1])))
            await asyncio.to_thread(harness.control.set, {"max_utterance": samples(2)})
            await asyncio.to_thread(harness.control.words, AddWords(BOOSTS))
            await harness.play(sentences[0])
            await harness.until(lambda _: rests(len(sentences[1]) + len(sentences[0])))
            await harness.play(sentences[2])
            await harness.until(lambda _: rests(sum(map(len, sentences))))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "AT_REST", 0.5)
        drive(scenario())
    found = list(takes(directory / "tape"))
    assert len([take for take in found if take.begin.stream == "a"]) > 1
    return found


@pytest.fixture(scope="module")
def backend(bundled: ModelDirectory) -> Backend:
    return load("fp16", bundled)


def said(finals: list[Final]) -> list[tuple[int, int, str]]:
    return [(final.start, final.end, final.text) for final in finals]


def then(found: list[Take]) -> list[Final]:
    return [final for take in found for final in take.finals()]


def test_settings_change_where_they_were_changed(recorded: list[Take], backend: Backend) -> None:
    assert len(then(recorded)) > 4
    assert said(list(retranscribe(recorded, backend, environment.options(recorded[0].begin)))) == said(then(recorded))


def test_hot_words_are_those_of_each_utterance(
    recorded: list[Take], backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, float]] = []
    begin = BeamDecoding.begin

    def overheard(self: BeamDecoding, boosts: Mapping[str, float]) -> Decoder:
        given.append(dict(boosts))
        return begin(self, boosts)

    monkeypatch.setattr(BeamDecoding, "begin", overheard)
    now = list(retranscribe(recorded, backend, environment.options(recorded[0].begin)))
    assert given == [{}] + [BOOSTS] * (len(now) - 1)
    given.clear()
    list(retranscribe(recorded, backend, environment.options(recorded[0].begin), boosts={"lion": 1.0}))
    assert given == [{"lion": 1.0}] * len(now)


def test_what_is_asked_for_holds_throughout(recorded: list[Take], backend: Backend) -> None:
    options = environment.options(recorded[0].begin)
    now = list(retranscribe(recorded, backend, options, {"max_utterance"}))
    assert len(now) < len(then(recorded))
    assert max(seconds(final.end - final.start) for final in now) > 3


def test_a_stream_that_begins_anew_has_the_settings_there_were(recorded: list[Take], backend: Backend) -> None:
    """Another detector cannot go on from what the recorded one knew."""
    later = next(take for take in recorded if take.begin.index and then([take]) and then([take])[0].utterance != 0)
    options = replace(environment.options(later.begin), vad="webrtc:1")
    now = list(retranscribe([later], backend, options))
    assert now
    assert max(seconds(final.end - final.start) for final in now) < 3


def test_words_that_this_model_cannot_spell_are_left_out(
    recorded: list[Take], backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = environment.options(recorded[0].begin)
    monkeypatch.setattr("asrd.daemon.replay.ungated._hot_words", lambda take: iter([(0, {"Łódź": 8.0})]))
    assert [final.start for final in retranscribe(recorded, backend, options)] == [f.start for f in then(recorded)]

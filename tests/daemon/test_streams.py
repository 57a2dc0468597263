"""Streams that come and go: each sender has one of its own, in a real daemon."""

import asyncio
import time
from collections import defaultdict
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zmq.asyncio

from asrd.clients.sender import Sender
from asrd.core.events import Ended, Event, Final, Gap, Settings, Started
from asrd.core.flow import FloatArray
from asrd.core.pcm import PcmHeader
from asrd.core.units import samples
from asrd.daemon.journal.options import JournalOptions
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.replay.testing import assert_replays

from .conftest import Harness, drive


def callers(folder: Path, **options: object) -> Harness:
    return Harness(folder, sources=(f"call=pcm:ipc://{folder}/a?streams=each",), **options)


def call(harness: Harness, audio: FloatArray, session: str = "") -> None:
    """Send a recording as a session of its own."""
    with Sender(harness.audio, waits=True, timeout=10) as sender:
        sender._session = session or sender._session
        sender.send(audio)


async def ended(harness: Harness, count: int) -> None:
    """Wait until so many streams have ended."""
    await harness.until(lambda _: sum(isinstance(event, Ended) for event in harness.seen) == count)


def by_stream(harness: Harness) -> dict[str, list[Event]]:
    found = defaultdict[str, list[Event]](list)
    for event in harness.seen:
        if isinstance(event, Event) and event.stream.startswith("call"):
            found[event.stream].append(event)
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, sentences: list[FloatArray]) -> list[str]:
    """What is heard of each sentence by itself."""
    harness = Harness(tmp_path_factory.mktemp("alone"))
    sentences = sentences[:2]

    async def scenario() -> None:
        async with harness.running():
            for count, sentence in enumerate(sentences, 1):
                await harness.play(sentence)
                await harness.until(lambda _, count=count: len(harness.of(Final)) == count)

    drive(scenario())
    return [final.text for final in harness.of(Final)]


def test_callers_who_speak_at_once_are_each_heard_whole(
    tmp_path: Path, sentences: list[FloatArray], alone: list[str]
) -> None:
    """Each recording is replayed as it was, too."""
    tape, sentences = tmp_path / "tape", sentences[:2]
    harness = callers(tmp_path, record=RecordingOptions(tape))

    async def scenario() -> None:
        async with harness.running() as daemon:
            assert daemon.reporter.status().entrances == (f"call=pcm:{harness.audio}?streams=each",)
            await asyncio.gather(*(asyncio.to_thread(call, harness, audio) for audio in sentences))
            await ended(harness, len(sentences))
            assert len(daemon.streams) == len(daemon.engine.scheduler.queues) == 0

    drive(scenario())
    heard = {}
    for events in by_stream(harness).values():
        end = events[-1]
        assert isinstance(end, Ended)
        assert sum(isinstance(event, Started) for event in events) == 1
        [final] = [event for event in events if isinstance(event, Final)]
        heard[end.position] = final.text
    assert heard == dict(zip(map(len, sentences), alone, strict=True))
    assert len({path.name.split("-call-")[1] for path in tape.glob("*-call-*")}) == len(sentences)
    assert_replays(tape)


def test_a_name_is_used_once_and_settings_hold_for_those_who_come_later(tmp_path: Path) -> None:
    harness, silence = callers(tmp_path), np.zeros(16_000, np.float32)

    async def scenario() -> None:
        async with harness.running() as daemon:
            assert await asyncio.to_thread(harness.control.set, {"hangover": samples(0.7)}) == {}
            for count in (1, 2):
                await asyncio.to_thread(call, harness, silence, "desk")
                await ended(harness, count)
                daemon.streams.entrances[0]._received.clear()  # the same name, but not the same session

    drive(scenario())
    assert list(by_stream(harness)) == ["call-desk", "call-desk-2"]
    for events in by_stream(harness).values():
        assert [type(event) for event in events] == [Settings, Ended]
        assert events[0].values["hangover"] == samples(0.7)
        assert events[1].position == len(silence)


def test_a_daemon_that_stops_ends_the_streams_that_are_open(tmp_path: Path, sentences: list[FloatArray]) -> None:
    harness = callers(tmp_path)

    async def scenario() -> None:
        async with harness.running():
            await asyncio.to_thread(sender.__enter__)
            await asyncio.to_thread(sender.send, sentences[0][:40_000])
            await harness.until(lambda item: isinstance(item, Started))

    sender = Sender(harness.audio, timeout=10)
    drive(scenario())
    sender.__exit__(KeyboardInterrupt, None, None)
    [events] = by_stream(harness).values()
    assert isinstance(events[-1], Ended)
    assert isinstance(events[-2], Final)
    assert events[-2].reason == "end"


def test_a_session_goes_on_with_the_next_daemon_and_nothing_is_heard_twice(tmp_path: Path, babble: FloatArray) -> None:
    """The sender says again what it cannot know to have been heard."""
    harness, parts = callers(tmp_path, journal=JournalOptions(tmp_path / "journal")), np.split(babble[:16_000], 10)

    async def send(first: int, last: int, again: int = 0) -> None:
        with zmq.asyncio.Context() as context, context.socket(zmq.PUSH) as socket:
            socket.connect(harness.audio)
            for number in range(first, last):
                header = PcmHeader(
                    session="desk",
                    rate=16_000,
                    channels=1,
                    format="f32le",
                    position=1600 * number,
                    captured=time.time(),
                    again=number < again,
                    end=number == 9,
                    length=16_000,
                )
                await socket.send_multipart([msgspec.json.encode(header), parts[number].tobytes()])

    async def scenario() -> None:
        async with harness.running() as daemon:
            await send(0, 5)
            await harness.until(lambda _: any(one.status.received == 8_000 for one in daemon.streams))
        async with harness.running():
            await send(2, 10, again=5)
            await ended(harness, 2)

    drive(scenario())
    events = by_stream(harness)["call-desk"]
    assert sum(event.position for event in events if isinstance(event, Ended)) == 16_000
    assert not [event for event in events if isinstance(event, Gap)]

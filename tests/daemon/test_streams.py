"""Streams that come and go: each sender has one of its own, in a real daemon."""

import asyncio
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from asrd.clients.sender import Sender
from asrd.core.control import Recall
from asrd.core.events import Ended, Final, Partial, Settings, Started
from asrd.core.flow import FloatArray
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.replay import testing

from .conftest import Harness

pytestmark = pytest.mark.anyio


@pytest.fixture
def many(tmp_path: Path) -> Harness:
    return Harness(tmp_path, sources=(f"call=pcm:ipc://{tmp_path}/a?streams=each",))


async def call(harness: Harness, audio: FloatArray, rate: int = 16_000) -> None:
    """Send a recording as a session of its own."""

    def send() -> None:
        with Sender(harness.audio, rate, waits=True, timeout=10) as sender:
            sender.send(audio)

    await asyncio.to_thread(send)


def of(harness: Harness, stream: str) -> list[object]:
    return [event for event in harness.seen if getattr(event, "stream", "") == stream]


async def test_callers_who_speak_at_once_each_get_their_own_words(
    many: Harness, harness: Harness, sentences: list[FloatArray]
) -> None:
    async with many.running() as daemon:
        assert len(daemon.streams) == 0
        await asyncio.gather(*(call(many, audio) for audio in sentences))
        for count in range(len(sentences)):
            await many.until(lambda item, count=count: len(many.ended()) > count)
        assert len(daemon.streams) == 0
        assert not daemon.engine.scheduler.queues
    texts = set()
    for stream in {event.stream for event in many.ended()}:
        events = of(many, stream)
        assert stream.startswith("call-")
        assert isinstance(events[-1], Ended)
        assert events[-1].position in [len(audio) for audio in sentences]
        finals = [event for event in events if isinstance(event, Final)]
        assert len(finals) == len([event for event in events if isinstance(event, Started)]) == 1
        texts.add(finals[0].text)
    alone = harness.__class__(Path(many.audio.removeprefix("ipc://")).parent)
    async with alone.running():
        await alone.play(*sentences)
        await alone.until(lambda item: len(alone.of(Final)) == len(sentences))
    assert texts == {final.text for final in alone.of(Final)}

"""Senders that know nothing of asrd but its protocol, and several at a time."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq

from asrd.clients.sender import Sender
from asrd.core.events import Error, Final, Gap
from asrd.core.flow import FloatArray

from .conftest import Victim, unended
from .speech import sentences


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    one = Victim(tmp_path)
    yield one
    one.end()


def push(address: str, audio: FloatArray, session: str) -> None:
    """Push everything and leave at once, as a program in any language might."""
    pcm = (audio * 32_767).astype("<i2")
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.connect(address)
        for first in range(0, len(pcm), 1_600):
            part = pcm[first : first + 1_600]
            facts = {"session": session, "rate": 16_000, "channels": 1, "format": "s16le", "position": first}
            header = facts | {"captured": time.time(), "length": len(pcm), "schema": 1}
            socket.send_multipart([json.dumps(header).encode(), part.tobytes()])


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_of_one_that_leaves_at_once_all_is_heard_or_named(victim: Victim, kind: str) -> None:
    audio = sentences(2)
    address = f"ipc://{victim.paths['audio']}" if kind == "unix" else f"tcp://127.0.0.1:{victim.ports['audio']}"
    push(address, audio, "foreign")
    with victim.events() as events:
        until = time.monotonic() + 30
        while (stream := victim.control.status().streams[kind]).position < len(audio):
            assert time.monotonic() < until, "what is missing was not named"
            next(events)
    assert stream.session in ("foreign", "")
    victim.process.terminate()
    assert victim.process.wait(10) == 0
    published = victim.published()
    gaps = sum(event.end - event.start for event in published if isinstance(event, Gap))
    assert stream.received + gaps == len(audio) == stream.position
    assert unended(published) == (0, 0)
    assert any(isinstance(event, Final) and event.text for event in published)


def test_one_that_waits_is_told(victim: Victim) -> None:
    address, audio = f"ipc://{victim.paths['audio']}", np.zeros(1_600, np.float32)
    with victim.events() as events, Sender(address) as first, Sender(address) as second:
        first.send(audio)
        while not victim.control.status().streams["unix"].session:
            next(events)
        for _ in range(15):
            second.send(audio)
        error = next(event for event in events if isinstance(event, Error))
        first.end()
    assert error.stream == "unix"
    assert "waits while" in error.message
    assert error.message.endswith("is sending; give each a source of its own")

"""A sender goes on over a restart of the daemon: nothing that it sent is lost, and nothing is heard twice."""

import asyncio
import math
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from asrd.cli import backlog as backlog_module
from asrd.cli.backlog import Backlog
from asrd.clients.sender import Sender
from asrd.core.errors import TransportError
from asrd.core.flow import AudioChunk, FloatArray
from asrd.core.pcm import PcmHeader
from asrd.core.units import Samples
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.network import NetworkSource
from asrd.daemon.sources.sessions import Sessions

BLOCK, BLOCKS = 1_600, 60


def ramp(first: int, last: int) -> FloatArray:
    """Samples that say their own position."""
    return np.arange(first, last, dtype=np.float32) / 2**20


async def hear(
    address: str, sent: tuple[str, int], enough: float, sending: threading.Thread
) -> tuple[FloatArray, int, tuple[str, int]]:
    """Open a source, and close it once it has delivered enough, or its sender has ended. Returns the audio, what was
    lost, and what was heard.
    """
    source = NetworkSource("net", address)
    source.sent = sent
    await source.open()
    found, lost = [np.zeros(0, np.float32)], 0
    async with asyncio.timeout(20):
        async for chunk in source.chunks():
            found.append(chunk.pcm)
            lost += chunk.lost
            if "has ended" in chunk.reason:
                await asyncio.to_thread(sending.join, 10)  # it makes sure that its end was received
            if sum(map(len, found)) >= enough or "has ended" in chunk.reason:
                await source.close()
    return np.concatenate(found), lost, source.sent


@pytest.mark.parametrize("address", ["ipc://{}/pcm", "tcp://127.0.0.1:{}"])
async def test_what_was_not_heard_is_sent_again_and_what_was_is_not_heard_twice(tmp_path: Path, address: str) -> None:
    """Three daemons in turn, with nobody there in between; what they had received and not read goes with them."""
    address = address.format(tmp_path if address.startswith("ipc") else 40_000 + time.time_ns() % 20_000)
    troubles: list[TransportError] = []

    def send() -> None:
        with Sender(address, timeout=10, away=math.inf, waiting=troubles.append) as sender:
            for block in range(BLOCKS):
                sender.send(ramp(block * BLOCK, (block + 1) * BLOCK))
                time.sleep(0.002)

    sending = threading.Thread(target=send)
    sending.start()
    heard, sent = [np.zeros(0, np.float32)], ("", 0)
    for enough in (10 * BLOCK, 15 * BLOCK, math.inf):
        audio, lost, sent = await hear(address, sent, enough, sending)
        heard.append(audio)
        assert lost == 0
        await asyncio.sleep(0.2)
    assert not sending.is_alive()
    assert np.array_equal(np.concatenate(heard), ramp(0, BLOCKS * BLOCK))
    assert all("has gone" in str(trouble) for trouble in troubles)


async def test_a_sender_gives_up_when_it_is_told_to(tmp_path: Path) -> None:
    source = NetworkSource("net", f"ipc://{tmp_path}/pcm")
    await source.open()
    gone = threading.Event()
    sender = Sender(source.address, away=math.inf, waiting=lambda error: gone.set())

    def send() -> None:
        with sender:
            while True:
                sender.send(ramp(0, BLOCK))

    sending = asyncio.create_task(asyncio.to_thread(send))
    await asyncio.sleep(0.1)
    await source.close()
    assert await asyncio.to_thread(gone.wait, 10)
    await asyncio.sleep(0.1)
    assert not sending.done()
    sender.away = 0.0
    with pytest.raises(TransportError, match="has gone"):
        await asyncio.wait_for(sending, 10)


def test_only_what_is_marked_as_repeated_is_compared_with_what_was_heard() -> None:
    """A sender that was restarted under its old name is heard from its beginning."""
    sessions = Sessions("net", ("desk", 300))

    def send(position: int, *, again: bool) -> list[tuple[int, int]]:
        header = PcmHeader(
            session="desk", rate=16_000, channels=1, format="s16le", position=position, captured=0.0, again=again
        )
        chunks = list(sessions.receive([msgspec.json.encode(header), bytes(400)]))
        return [(len(chunk.pcm), chunk.lost) for chunk in chunks]

    assert send(0, again=True) == []
    assert send(200, again=True) == [(100, 0)]
    assert send(500, again=False) == [(200, 100)]
    assert send(500, again=True) == []
    fresh = Sessions("net", ("desk", 300))
    sessions = fresh
    assert send(0, again=False) == [(200, 0)]


class Flood(Source):
    """A live source that delivers much at once."""

    live = True

    async def open(self) -> None:
        pass

    async def chunks(self):
        for block in range(10):
            yield AudioChunk(Samples(block * BLOCK), ramp(block * BLOCK, (block + 1) * BLOCK), 0.0)

    async def close(self) -> None:
        pass


async def test_a_microphone_s_audio_waits_and_only_the_oldest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [chunk async for chunk in Backlog(Flood("mic")).chunks()]
    assert np.array_equal(np.concatenate([chunk.pcm for chunk in whole]), ramp(0, 10 * BLOCK))
    monkeypatch.setattr(backlog_module, "KEPT", 4 * BLOCK)
    left = [chunk async for chunk in Backlog(Flood("mic")).chunks()]
    assert [(chunk.start // BLOCK, chunk.lost // BLOCK) for chunk in left] == [(6, 6), (7, 0), (8, 0), (9, 0)]
    assert left[0].reason == "nobody took it"

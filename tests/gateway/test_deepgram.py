"""Deepgram's live API, by its own client: the text is that of `asrd transcribe`."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import soundfile
import websockets
from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment

from .conftest import Served

pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")
"""Deepgram's client uses what websockets has given up."""

FORM = {"encoding": "linear16", "sample_rate": 24_000}


@asynccontextmanager
async def connected(served: Served, **query) -> AsyncIterator:
    place = DeepgramClientEnvironment(base=served.url, production=served.ws, agent=served.ws, agent_rest=served.url)
    client = AsyncDeepgramClient(api_key="none", environment=place)
    async with client.listen.v1.connect(model="nova-3", **FORM, **query) as connection:
        yield connection


async def send(connection, path: Path) -> None:
    data = soundfile.read(path, dtype="int16")[0].tobytes()
    for first in range(0, len(data), 4800):
        await connection.send_media(data[first : first + 4800])


async def told(connection, enough: Callable[[list], bool]) -> list:
    """Return messages until they are enough."""
    found: list = []
    async with asyncio.timeout(60):
        while not found or not enough(found):
            found.append(await connection.recv())
    return found


def finals(found: list) -> list:
    return [one for one in found if one.type == "Results" and one.is_final]


def text(found: list) -> str:
    said = [one.channel.alternatives[0].transcript for one in finals(found)]
    return " ".join(one for one in said if one)


async def test_the_text_is_that_of_transcribe(served, whole, transcribed):
    async with connected(served, interim_results=True, smart_format=True, vad_events=True, utterance_end_ms=1000) as dg:
        sending = asyncio.create_task(send(dg, whole))
        found = await told(dg, lambda found: len(finals(found)) == 3)
        await sending
        await dg.send_close_stream()
        found += await told(dg, lambda found: found[-1].type == "Metadata")
    assert text(found) == transcribed(whole).strip()
    interim = [one for one in found if one.type == "Results" and not one.is_final]
    assert any(one.channel.alternatives[0].transcript for one in interim)
    assert sum(one.type == "SpeechStarted" for one in found) >= 3
    assert sum(one.type == "UtteranceEnd" for one in found) == 3
    assert found[-1].duration == pytest.approx(soundfile.info(whole).duration, abs=0.05)
    for one in finals(found):
        [alternative] = one.channel.alternatives
        assert " ".join(word.punctuated_word for word in alternative.words) == alternative.transcript
        assert all(one.start <= word.start <= word.end for word in alternative.words)
        assert one.metadata.model_info.name == "asrd-tiny-en"


async def test_plain_text_without_interim_results(served, clips, transcribed):
    async with connected(served, language="en-US") as dg:
        await send(dg, clips[0])
        await dg.send_keep_alive()
        await dg.send_close_stream()
        found = await told(dg, lambda found: found[-1].type == "Metadata")
    assert {one.type for one in found} == {"Results", "Metadata"}
    assert len(finals(found)) == len(found) - 1
    assert text(found) == json.loads(transcribed(clips[0], "json"))["text"].lower()


async def test_what_was_sent_can_be_finalized_at_any_time(served, clips, transcribed):
    async with connected(served) as dg:
        await dg.send_finalize()
        [nothing] = await told(dg, lambda found: True)
        assert nothing.from_finalize
        found = []
        for clip in clips[:2]:
            await send(dg, clip)
            await dg.send_finalize()
            found += await told(dg, lambda found: found[-1].from_finalize)
        await dg.send_close_stream()
        [metadata] = await told(dg, lambda found: True)
    expected = " ".join(json.loads(transcribed(clip, "json"))["text"].lower() for clip in clips[:2])
    assert text(found) == expected
    starts = [one.start for one in finals(found)]
    assert starts == sorted(starts)
    first = soundfile.info(clips[0]).duration
    assert any(start >= first for start in starts)
    assert metadata.duration == pytest.approx(first + soundfile.info(clips[1]).duration, abs=0.05)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "encoding is one of linear16"),
        ("encoding=opus&sample_rate=48000", "not 'opus'"),
        ("encoding=linear16", "sample_rate lies from"),
        ("encoding=linear16&sample_rate=" + "9" * 5000, "sample_rate lies from"),
        ("encoding=linear16&sample_rate=16000&channels=0", "channels lies from 1 to 8"),
        ("encoding=linear16&sample_rate=16000&multichannel=true", "channels are mixed"),
        ("encoding=linear16&sample_rate=16000&language=de", "writes en, not de"),
    ],
)
async def test_a_wrong_query_is_refused(served, query, why):
    with pytest.raises(websockets.InvalidStatus) as found:
        async with websockets.connect(f"{served.ws}/v1/listen?{query}"):
            pass
    assert found.value.response.status_code == 400
    assert why in json.loads(found.value.response.body)["error"]["message"]


async def test_wrong_huge_and_abrupt_clients_hurt_nobody(served, clips, transcribed):
    place = f"{served.ws}/v1/listen?encoding=linear16&sample_rate=24000"
    for message in ("hello", '{"type": "Configure"}', "[" * 100_000):
        async with websockets.connect(place) as ws:
            await ws.send(message)
            assert json.loads(await ws.recv())["type"] == "Error"
            await ws.wait_closed()
            assert ws.close_code == 1008
    async with websockets.connect(place) as ws:
        with suppress(websockets.ConnectionClosed):
            await ws.send(b"\0" * (17 << 20))
        await ws.wait_closed()
    async with websockets.connect(place) as ws:
        await ws.send(b"\1\0" * 8000)
        ws.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ws.transport.abort()
    async with websockets.connect(place) as ws:
        await ws.send(soundfile.read(clips[1], dtype="int16")[0].tobytes())
        await ws.send(b"")
        said = [json.loads(message) async for message in ws]
    said = [one["channel"]["alternatives"][0]["transcript"] for one in said if one["type"] == "Results"]
    assert " ".join(filter(None, said)) == json.loads(transcribed(clips[1], "json"))["text"].lower()
    assert "Traceback" not in "\n".join(served.log)

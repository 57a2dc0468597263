"""Live audio, by OpenAI's own client: the text is that of `asrd transcribe`."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import soundfile
import soxr
from openai import AsyncOpenAI

from asrd.clients import AsyncSubscriber
from asrd.core.events import Ended, Final, Started, Status

from .conftest import Served, first

PIECE = 24_000 // 10 * 2
"""Bytes of a tenth of a second."""


@asynccontextmanager
async def connected(served: Served, **extra) -> AsyncIterator:
    places = {"base_url": f"{served.url}/v1", "websocket_base_url": f"{served.ws}/v1"}
    async with (
        AsyncOpenAI(**places, api_key="none") as client,
        client.realtime.connect(extra_query={"intent": "transcription"}, **extra) as connection,
    ):
        assert (await connection.recv()).type in ("session.created", "transcription_session.created")
        yield connection


def pcm(path: Path) -> bytes:
    return soundfile.read(path, dtype="int16")[0].tobytes()


async def append(connection, data: bytes) -> None:
    for begin in range(0, len(data), PIECE):
        audio = base64.b64encode(data[begin : begin + PIECE]).decode()
        await connection.input_audio_buffer.append(audio=audio)


async def until(connection, kind: str, count: int = 1) -> list:
    """Return the events up to the last of `count` of a kind."""
    found = []
    async with asyncio.timeout(60):
        while sum(event.type == kind for event in found) < count:
            found.append(await connection.recv())
    return found


async def update(connection, **heard) -> list:
    await connection.session.update(session={"type": "transcription", "audio": {"input": heard}})
    return await until(connection, "session.updated")


COMPLETED = "conversation.item.input_audio_transcription.completed"
DELTA = "conversation.item.input_audio_transcription.delta"


def texts(events) -> list[str]:
    return [event.transcript for event in events if event.type == COMPLETED]


async def test_the_server_finds_what_is_said(served, whole, transcribed):
    expected = transcribed(whole).strip()
    async with connected(served) as connection:
        sending = asyncio.create_task(append(connection, pcm(whole)))
        events = []
        while " ".join(texts(events)) != expected:
            events += await until(connection, COMPLETED)
            assert expected.startswith(" ".join(texts(events)))
        await sending
    items = [event.item_id for event in events if event.type == COMPLETED]
    for item in items:
        about = [event for event in events if item in (getattr(event, "item_id", ""), _item(event))]
        kinds = [event.type for event in about]
        assert kinds[0] == "input_audio_buffer.speech_started"
        live = [kind for kind in kinds if kind != DELTA]
        assert live == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            COMPLETED,
        ]
        assert about[-1].transcript == "".join(event.delta for event in about if event.type == DELTA)
    previous = [event.previous_item_id for event in events if event.type == "input_audio_buffer.committed"]
    assert previous == [None, *items[:-1]]
    starts = [event.audio_start_ms for event in events if event.type == "input_audio_buffer.speech_started"]
    stops = [event.audio_end_ms for event in events if event.type == "input_audio_buffer.speech_stopped"]
    assert sorted(starts + stops) == [time for pair in zip(starts, stops, strict=True) for time in pair]


def _item(event) -> str:
    return getattr(getattr(event, "item", None), "id", "")


async def test_text_comes_before_the_utterance_ends(served, clips):
    async with connected(served) as connection:
        await append(connection, pcm(clips[0])[: -48_000 - 12_000])
        events = await until(connection, DELTA)
        assert events[0].type == "input_audio_buffer.speech_started"


async def test_the_client_commits(served, clips, transcribed):
    async with connected(served) as connection:
        [updated] = await update(connection, turn_detection=None)
        assert updated.session.audio.input.turn_detection is None
        for clip in clips[:2]:
            await append(connection, pcm(clip))
            await connection.input_audio_buffer.commit()
        events = await until(connection, COMPLETED, 2)
    assert texts(events) == [transcribed(clip).strip() for clip in clips[:2]]
    assert [event.type for event in events][:3] == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]


async def test_what_is_cleared_is_not_told(served, clips, transcribed):
    async with connected(served) as connection:
        await update(connection, turn_detection=None)
        await append(connection, pcm(clips[0]))
        await connection.input_audio_buffer.clear()
        await append(connection, pcm(clips[1]))
        await connection.input_audio_buffer.commit()
        events = await until(connection, COMPLETED)
    assert "input_audio_buffer.cleared" in [event.type for event in events]
    assert texts(events) == [transcribed(clips[1]).strip()]


async def test_a_commit_ends_what_is_being_said(served, clips):
    async with connected(served) as connection:
        await append(connection, pcm(clips[0])[:-48_000])
        await connection.input_audio_buffer.commit()
        assert texts(await until(connection, COMPLETED))[0]


async def test_errors_name_the_event_and_the_session_goes_on(served, clips):
    async with connected(served) as connection:
        await connection.send({"type": "input_audio_buffer.commit", "event_id": "mine"})
        [error] = await until(connection, "error")
        assert (error.error.code, error.error.event_id) == ("input_audio_buffer_commit_empty", "mine")
        for wrong in ({"type": "response.create"}, {"type": "input_audio_buffer.append", "audio": "%%%"}, {"no": 1}):
            await connection.send(wrong)
            assert (await connection.recv()).error.type == "invalid_request_error"
        await connection.session.update(
            session={"type": "transcription", "audio": {"input": {"transcription": {"language": "fr"}}}}
        )
        assert "writes en, not fr" in (await connection.recv()).error.message
        await append(connection, pcm(clips[0]))
        await connection.input_audio_buffer.commit()
        assert texts(await until(connection, COMPLETED))


async def test_the_beta_of_the_api(served, clips):
    headers = {"OpenAI-Beta": "realtime=v1"}
    async with connected(served, extra_headers=headers) as connection:
        settings = {
            "input_audio_format": "pcm16",
            "input_audio_transcription": {"model": "gpt-4o-transcribe", "language": "en"},
            "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 400},
        }
        await connection.send({"type": "transcription_session.update", "session": settings})
        updated = await connection.recv()
        assert updated.type == "transcription_session.updated"
        await append(connection, pcm(clips[0]))
        assert "conversation.item.created" in [event.type for event in await until(connection, COMPLETED)]


async def test_two_sessions_get_their_own_texts(served, clips, transcribed):
    async def said(clip: Path) -> list[str]:
        async with connected(served) as connection:
            await update(connection, turn_detection=None)
            await append(connection, pcm(clip))
            await connection.input_audio_buffer.commit()
            return texts(await until(connection, COMPLETED))

    found = await asyncio.gather(*map(said, clips))
    assert found == [[transcribed(clip).strip()] for clip in clips]


@pytest.mark.parametrize("form", ["audio/pcmu", "audio/pcma"])
async def test_a_telephone_is_heard(served, clips, tmp_path, transcribed, form):
    pcm16, _ = soundfile.read(clips[0], dtype="float32")
    path = tmp_path / "call.raw"
    encoding = {"audio/pcmu": "ULAW", "audio/pcma": "ALAW"}[form]
    soundfile.write(path, soxr.resample(pcm16, 24_000, 8_000), 8_000, subtype=encoding, format="RAW")
    async with connected(served) as connection:
        await update(connection, format={"type": form}, turn_detection=None)
        await append(connection, path.read_bytes())
        await connection.input_audio_buffer.commit()
        [text] = texts(await until(connection, COMPLETED))
    soundfile.write(tmp_path / "call.wav", soxr.resample(pcm16, 24_000, 8_000), 8_000, subtype=encoding)
    assert text == transcribed(tmp_path / "call.wav").strip()


async def test_a_stream_ends_with_its_connection(served, clips):
    async with asyncio.timeout(30), AsyncSubscriber(served.events) as events:
        assert await first(events, Status)  # it has subscribed
        async with connected(served) as connection:
            await append(connection, pcm(clips[0])[:-48_000])
            started = await first(events, Started)
        assert (await first(events, Final)).stream == started.stream
        assert (await first(events, Ended)).stream == started.stream
    assert served.streams() == []

"""A daemon that is stopped says what was heard, and does not pass a part of a file off as the whole."""

import asyncio
import signal
import time

import numpy as np
import openai
import soundfile
from openai import AsyncOpenAI

from asrd.clients import AsyncSubscriber
from asrd.core.events import Started

from .conftest import first, serving
from .test_realtime import COMPLETED, append, connected, pcm, texts, until


async def test_a_daemon_stops_in_time_and_says_what_was_heard(clips, whole, tmp_path):
    hour = tmp_path / "hour.wav"
    soundfile.write(hour, np.tile(soundfile.read(whole, dtype="int16")[0], 200), 24_000)
    with serving(tmp_path) as served, hour.open("rb") as file:
        async with (
            AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client,
            AsyncSubscriber(served.events) as events,
        ):
            transcribing = asyncio.create_task(client.audio.transcriptions.create(file=file, model="whisper-1"))
            async with asyncio.timeout(60), connected(served) as connection:
                await first(events, Started)
                await append(connection, pcm(clips[0])[:-48_000])
                await until(connection, "input_audio_buffer.speech_started")
                served.process.send_signal(signal.SIGTERM)
                stopped = time.monotonic()
                assert texts(await until(connection, COMPLETED)) != [""]
            [failure] = await asyncio.gather(transcribing, return_exceptions=True)
        await asyncio.to_thread(served.process.wait, 10)
        assert time.monotonic() - stopped < 5
        assert served.process.returncode == 0
    assert isinstance(failure, openai.InternalServerError)
    assert "stopped before it had heard the file" in str(failure)
    assert not [line for line in served.log if "Traceback" in line], "\n".join(served.log)

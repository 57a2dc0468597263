"""The protocol of vosk-server, by a client like the one of its documentation: it awaits an answer to every message."""

import json
import socket
import struct
from contextlib import suppress
from pathlib import Path

import pytest
import soundfile
import websockets

from asrd.gateway.vosk.messages import Answers, Config

from .conftest import Served

PIECE = 0.2
"""Seconds of a message."""


async def talk(served: Served, path: Path, **config) -> list[dict]:
    """Send a file as vosk's clients do; return the answer to each message."""
    answers = []
    pcm, rate = soundfile.read(path, dtype="int16")
    async with websockets.connect(served.ws) as ws:
        await ws.send(json.dumps({"config": {"sample_rate": rate} | config}))
        for first in range(0, len(pcm), round(PIECE * rate)):
            await ws.send(pcm[first : first + round(PIECE * rate)].tobytes())
            answers.append(json.loads(await ws.recv()))
        await ws.send('{"eof" : 1}')
        answers.append(json.loads(await ws.recv()))
        await ws.wait_closed()
        assert ws.close_code == 1000
    assert len(answers) == -(-len(pcm) // round(PIECE * rate)) + 1
    return answers


def said(transcribed, path: Path) -> str:
    """The words of `asrd transcribe`, in vosk's case."""
    return json.loads(transcribed(path, "json"))["text"].lower()


async def test_each_message_is_answered_and_the_text_is_that_of_transcribe(served, whole, transcribed):
    answers = await talk(served, whole)
    results = [answer for answer in answers if "text" in answer]
    assert all(answer.keys() == {"partial"} for answer in answers if answer not in results)
    assert any(answer["partial"] for answer in answers if answer not in results)
    expected = said(transcribed, whole)
    assert " ".join(result["text"] for result in results if result["text"]) == expected
    words = [word for result in results for word in result.get("result", ())]
    assert " ".join(word["word"] for word in words) == expected
    for word in words:
        assert word.keys() == {"conf", "start", "end", "word"}
        assert 0 <= word["conf"] <= 1
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[-1] < soundfile.info(whole).duration


async def test_a_whole_file_in_one_message(served, whole, transcribed):
    pcm, rate = soundfile.read(whole, dtype="int16")
    async with websockets.connect(f"{served.ws}/") as ws:
        await ws.send(json.dumps({"config": {"sample_rate": float(rate), "words": 0}}))
        await ws.send(pcm.tobytes())
        answers = [json.loads(await ws.recv())]
        await ws.send('{"eof" : 1}')
        answers.append(json.loads(await ws.recv()))
    assert all("result" not in answer for answer in answers)
    assert " ".join(answer["text"] for answer in answers if answer.get("text")) == said(transcribed, whole)


async def test_alternatives_and_settings_that_are_not_used(served, clips, transcribed):
    answers = await talk(served, clips[0], max_alternatives=3, phrase_list=["one two"], model="/opt/vosk-model-en")
    found = [one for answer in answers for one in answer.get("alternatives", ()) if one["text"]]
    assert " ".join(one["text"] for one in found) == said(transcribed, clips[0])
    assert all(0 < one["confidence"] <= 1 for one in found)
    assert all(word.keys() == {"start", "end", "word"} for one in found for word in one["result"])


async def test_nothing_said_has_an_answer_too(served):
    async with websockets.connect(served.ws) as ws:
        await ws.send('{"eof" : 1}')
        assert json.loads(await ws.recv()) == {"text": ""}
    async with websockets.connect(served.ws) as ws:
        await ws.send(b"")
        assert json.loads(await ws.recv()) == {"partial": ""}
        await ws.send(b"\0\0" * 800)
        assert json.loads(await ws.recv()) == {"partial": ""}
        await ws.send('{"eof" : 1}')
        assert json.loads(await ws.recv()) == {"text": ""}


def test_nothing_final_has_no_alternative():
    answers = Answers()
    answers.use(Config(max_alternatives=1))
    assert answers.result([]) == {"alternatives": [{"confidence": 1.0, "text": ""}]}


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        (["hello"], "not a message of vosk"),
        (['{"reset": 1}'], 'neither "config" nor "eof"'),
        (['{"config": {"sample_rate": "fast"}}'], "not a message of vosk"),
        (['{"config": {"sample_rate": 1e300}}', b"\0\0"], "Hz"),
        ([b"\0\0", '{"config": {"sample_rate": 16000}}'], "cannot change"),
        (["[" * 100_000], "not a message of vosk"),
    ],
)
async def test_what_is_wrong_closes_the_connection(served, messages, why):
    async with websockets.connect(served.ws) as ws:
        for message in messages:
            await ws.send(message)
        await ws.wait_closed()
    assert ws.close_code == 1008
    assert why in ws.close_reason


async def test_who_leaves_abruptly_or_sends_too_much_hurts_nobody(served, clips, transcribed):
    async with websockets.connect(served.ws) as ws:
        await ws.send(b"\1\0" * 8000)
        ws.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ws.transport.abort()
    async with websockets.connect(served.ws) as ws:
        with suppress(websockets.ConnectionClosed):
            await ws.send(b"\0" * (17 << 20))
        await ws.wait_closed()
        assert ws.close_code == 1009
    answers = await talk(served, clips[1])
    text = " ".join(answer["text"] for answer in answers if answer.get("text"))
    assert text == said(transcribed, clips[1])
    assert "Traceback" not in "\n".join(served.log)

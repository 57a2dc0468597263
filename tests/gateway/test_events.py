"""asrd's events over HTTP: server-sent, and over the plain WebSocket, which takes audio."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse

import numpy as np
import pytest
import soundfile
import soxr
import websockets
from websockets.sync.client import ClientConnection, connect

from asrd.core.units import SAMPLE_RATE

from .conftest import Served

FORM = {"rate": 24_000}


@pytest.fixture(scope="module")
def heard(served, clips) -> list[dict]:
    """All that a client is told that sends a sentence and ends it."""
    with connect(f"{served.ws}/ws") as ws:
        return speak(ws, soundfile.read(clips[0], dtype="int16")[0], FORM | {"name": "anna"})


def speak(ws: ClientConnection, pcm: np.ndarray, form: dict) -> list[dict]:
    """Send audio and its end; return what is told until the server closes."""
    ws.send(json.dumps(form))
    for piece in np.array_split(pcm, 20):
        ws.send(piece.tobytes())
    ws.send('{"end": true}')
    return [json.loads(message) for message in ws]


@contextmanager
def listening(served: Served, query: str = "", **headers: str) -> Iterator[HTTPResponse]:
    request = urllib.request.Request(f"{served.url}/events?{query}", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        yield answer


def sent(answer: HTTPResponse) -> Iterator[tuple[str, dict]]:
    """Yield the id and the data of each server-sent event."""
    mark = ""
    for line in map(bytes.decode, answer):
        name, _, value = line.rstrip("\n").partition(": ")
        if name == "id":
            mark = value
        elif name == "data":
            yield mark, json.loads(value)


def lasting(told: list[dict]) -> list[dict]:
    return [event for event in told if event["type"] not in ("joined", "partial", "status", "heartbeat")]


def refusal(served: Served, path: str) -> str:
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.urlopen(served.url + path, timeout=10)
    assert found.value.code == 400
    return json.load(found.value)["error"]["message"]


def test_a_client_hears_of_its_own_stream_until_it_ends(heard, clips, transcribed):
    assert heard[0] == {"type": "joined", "stream": "anna"}
    assert {event["stream"] for event in heard} == {"anna"}
    kinds = [event["type"] for event in heard]
    assert kinds[-1] == "ended"
    assert "partial" in kinds
    assert kinds.count("started") == kinds.count("final") == 1
    final = next(event for event in heard if event["type"] == "final")
    assert final["text"].lower() == transcribed(clips[0]).strip().rstrip(".").lower()


def test_floats_of_two_channels_are_heard_as_well(served, clips, heard):
    pcm, rate = soundfile.read(clips[0], dtype="float32")
    wide = np.stack([soxr.resample(pcm, rate, 48_000)] * 2, axis=1)
    with connect(f"{served.ws}/ws") as ws:
        told = speak(ws, wide, {"rate": 48_000, "format": "f32le", "channels": 2})
    assert told[0]["stream"].startswith("ws-")
    assert abs(told[-1]["position"] - heard[-1]["position"]) <= 2
    assert [event["type"] for event in told].count("final") == 1


def test_a_name_that_was_used_gets_a_number(served, heard):
    with connect(f"{served.ws}/ws") as ws:
        ws.send(json.dumps(FORM | {"name": "anna"}))
        assert json.loads(ws.recv()) == {"type": "joined", "stream": "anna-2"}


def test_what_a_client_has_lost_is_a_gap(served):
    with connect(f"{served.ws}/ws") as ws:
        ws.send(json.dumps(FORM))
        ws.send(bytes(2 * 24_000))
        ws.send('{"lost": 12000}')
        told = speak(ws, np.zeros(24_000, np.int16), {})
    gap = next(event for event in told if event["type"] == "gap")
    assert (gap["end"] - gap["start"], gap["reason"]) == (SAMPLE_RATE // 2, "lost by its sender")


def test_the_first_event_is_a_greeting_and_then_all_come(served):
    with listening(served) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = sent(answer)
        mark, greeting = next(events)
        assert (greeting["type"], greeting["greeting"], greeting["calibrated"]) == ("status", True, True)
        assert mark == f"{greeting['seq']}@{greeting['daemon']}"
        following = [next(events)[1]["seq"] for _ in range(2)]
        assert following == [greeting["seq"] + 1, greeting["seq"] + 2]


def test_a_listener_that_comes_again_gets_what_it_missed(served, heard):
    kept = lasting(heard)
    mark = f"{kept[0]['seq']}@{kept[0]['daemon']}"
    with listening(served, "stream=anna", **{"Last-Event-ID": mark}) as answer:
        events = sent(answer)
        assert next(events)[1]["seq"] == kept[0]["seq"]
        assert [next(events)[1] for _ in kept[1:]] == kept[1:]
    with connect(f"{served.ws}/ws?stream=anna&since={kept[1]['seq']}") as ws:
        assert json.loads(ws.recv())["greeting"]
        assert [json.loads(ws.recv()) for _ in kept[2:]] == kept[2:]


@pytest.mark.parametrize("query", ["since=7@other", "since=999999", "since=-1", "ago=3600"])
def test_who_knows_nothing_of_this_daemon_gets_all_of_it(served, heard, query):
    with connect(f"{served.ws}/ws?types=final,started&stream=anna&{query}") as ws:
        assert [json.loads(ws.recv())["type"] for _ in range(2)] == ["started", "final"]


def test_a_listener_hears_others_and_may_speak(served, clips):
    pcm = soundfile.read(clips[1], dtype="int16")[0]
    with connect(f"{served.ws}/ws?listen=all") as all_, connect(f"{served.ws}/ws?stream=ben,carl") as some:
        with connect(f"{served.ws}/ws") as ws:
            own = lasting(speak(ws, pcm, FORM | {"name": "ben"}))
        all_.send(json.dumps(FORM | {"name": "dora"}))
        all_.send('{"end": true}')
        told = {ws: until(ws, stream) for ws, stream in ((all_, "dora"), (some, "ben"))}
    for events in told.values():
        assert [event for event in lasting(events) if event["stream"] == "ben"] == own
    assert {event["stream"] for event in told[some]} <= {"ben", "daemon"}
    assert {"type": "joined", "stream": "dora"} in told[all_]
    assert "dora" not in served.streams()


def until(ws: ClientConnection, stream: str) -> list[dict]:
    """Return what is told until a stream has ended."""
    told = [json.loads(ws.recv(20))]
    while (told[-1]["type"], told[-1].get("stream")) != ("ended", stream):
        told.append(json.loads(ws.recv(20)))
    return told


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("types=final,nonsense", "there are no events of type 'nonsense'"),
        ("since=yesterday", "'yesterday' is no event"),
        ("ago=-1", "'-1' is no number of seconds"),
        ("ago=inf", "'inf' is no number of seconds"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(served, query, message):
    assert message in refusal(served, f"/events?{query}")
    with pytest.raises(websockets.InvalidStatus) as found:
        connect(f"{served.ws}/ws?{query}")
    assert found.value.response.status_code == 400


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([b"\0\0"], "before audio, its form must be told"),
        (['{"end": true}'], "before audio, its form must be told"),
        ([json.dumps(FORM), json.dumps(FORM)], "the audio has begun already"),
        (['{"rate": 24000, "name": "daemon"}'], "'daemon' cannot name a stream"),
        (['{"rate": 24000, "name": "a.b"}'], "this is no message of asrd"),
        (['{"rate": 0}'], "this is no message of asrd"),
        (['{"rate": 24000, "colour": "red"}'], "this is no message of asrd"),
        (["{" * 1000], "this is no message of asrd"),
        ([json.dumps(FORM), bytes(2 * 24_000), '{"end": true}', b"\0\0"], "the audio has ended already"),
    ],
)
def test_messages_that_make_no_sense_end_the_connection(served, messages, reason):
    with connect(f"{served.ws}/ws") as ws:
        for message in messages:
            ws.send(message)
        with suppress(websockets.ConnectionClosed):
            for _ in ws:
                pass
    assert ws.close_code == 1008
    assert reason in ws.close_reason

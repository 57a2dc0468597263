"""Wyoming, by the client of its own package, used as Home Assistant uses it."""

import asyncio
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from asrd.core.errors import MissingExtraError, UsageError
from asrd.gateway.errors import LaggingError, RefusedError
from asrd.gateway.wyoming import wire
from asrd.gateway.wyoming.announcement import KIND
from asrd.gateway.wyoming.listener import Wyoming
from asrd.gateway.wyoming.options import WyomingOptions
from asrd.gateway.wyoming.wire import Reader, Wire

from .conftest import Served, serving


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, int]]:
    """A server, and its port for Wyoming."""
    with serving(tmp_path_factory.mktemp("wyoming"), "--wyoming", "127.0.0.1:0", "--announce") as served:
        [place] = [place for place in served.control.status().entrances if place.startswith("tcp:")]
        yield served, int(place.rpartition(":")[2])


@pytest.fixture
def port(listening) -> int:
    return listening[1]


def spoken(path: Path, channels: int = 1) -> list[Eventable]:
    """The events by which a client sends a file."""
    pcm, rate = soundfile.read(path, dtype="int16")
    form = {"rate": rate, "width": 2, "channels": channels}
    frames = np.repeat(pcm.reshape(-1, 1), channels, axis=1)
    pieces = [frames[first : first + 1024].tobytes() for first in range(0, len(frames), 1024)]
    return [AudioStart(**form), *(AudioChunk(**form, audio=piece) for piece in pieces), AudioStop()]


async def say(client: AsyncTcpClient, *events: Eventable) -> None:
    for event in events:
        await client.write_event(event.event())


async def heard(client: AsyncTcpClient, *kinds: type[Eventable]) -> list[Event]:
    """Return the events up to the first of some kinds."""
    found: list[Event] = []
    async with asyncio.timeout(60):
        while not found or not any(kind.is_type(found[-1].type) for kind in kinds):
            event = await client.read_event()
            assert event, f"the connection ended after {found}"
            found.append(event)
    return found


async def test_it_tells_what_it_is(port):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await say(client, Describe())
        [program] = Info.from_event((await heard(client, Info))[-1]).asr
    assert (program.name, program.installed, program.supports_transcript_streaming) == ("asrd", True, True)
    [model] = program.models
    assert (model.name, model.languages, model.installed) == ("asrd-tiny-en", ["en"], True)


async def test_home_assistant_finds_it(port):
    found: asyncio.Queue[str] = asyncio.Queue()

    def changed(name: str, state_change: ServiceStateChange, **_) -> None:
        if state_change is ServiceStateChange.Added:
            found.put_nowait(name)

    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as network:
        browser = AsyncServiceBrowser(network.zeroconf, KIND, handlers=[changed])
        ports = {}
        async with asyncio.timeout(20):
            while port not in ports:
                service = await network.async_get_service_info(KIND, await found.get())
                ports[service.port] = service.parsed_addresses()
        await browser.async_cancel()
    assert ports[port] == ["127.0.0.1"]


async def test_home_assistant_gets_the_text_of_transcribe(port, whole, transcribed):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await say(client, Transcribe(language="en"), *spoken(whole))
        event = (await heard(client, Transcript))[-1]
    assert Transcript.from_event(event) == Transcript(text=transcribed(whole).strip(), language="en")


async def test_text_comes_in_parts_and_a_connection_may_go_on(port, whole, clips, transcribed):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        for path, channels in ((whole, 1), (clips[1], 2)):
            await say(client, *spoken(path, channels))
            events = await heard(client, TranscriptStop)
            assert TranscriptStart.is_type(events[0].type)
            parts = [TranscriptChunk.from_event(event).text for event in events[1:-2]]
            text = Transcript.from_event(events[-2]).text
            assert "".join(parts) == text == transcribed(path).strip()
            assert len(parts) == (3 if path == whole else 1)
        await say(client, Ping(text="still there?"))
        assert Pong.from_event((await heard(client, Pong))[-1]).text == "still there?"


async def test_silence_has_a_transcript_too(port):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await say(client, AudioStart(rate=16_000, width=2, channels=1), AudioStop())
        assert Transcript.from_event((await heard(client, Transcript))[-1]).text == ""


FORM = {"rate": 16_000, "width": 2, "channels": 1}


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([Transcribe(language="de")], "writes en, not de"),
        ([Transcribe(name="base")], "there is no model 'base' here, but asrd-tiny-en"),
        ([AudioStart(rate=16_000, width=4, channels=1)], "width"),
        ([AudioStart(rate=0, width=2, channels=1)], "Hz"),
        ([AudioStart(rate=16_000, width=2, channels=99)], "channels"),
        ([AudioStart(**FORM), AudioChunk(**FORM | {"rate": 8_000}, audio=b"\0\0")], "the form of audio cannot change"),
    ],
)
async def test_what_is_wrong_is_told_and_ends_the_connection(port, events, why):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await say(client, *events)
        assert why in Error.from_event((await heard(client, Error))[-1]).text
        async with asyncio.timeout(10):
            while event := await client.read_event():
                assert TranscriptStart.is_type(event.type)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
        b"[]\n",
        b"{}\n",
        b'{"type": 7}\n',
        b'{"type": "describe", "data": []}\n',
        b'{"type": "audio-chunk", "data_length": 2}\n[]',
        b'{"type": "audio-chunk", "data": [], "data_length": 2}\n{}',
        b'{"type": "audio-chunk", "payload_length": 1e9}\n',
        b'{"type": "audio-chunk", "payload_length": 1000000000000}\n',
        b'{"type": "audio-chunk", "payload_length": "much"}\n',
        b'{"type": "audio-start", "data": {"rate": "fast", "width": 2, "channels": 1}}\n',
        b"[" * 60_000 + b"\n",
        b"x" * 100_000,
    ],
)
async def test_malformed_and_huge_events_end_their_connection_alone(port, data):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(10):
            answer = await reader.read()
            assert not answer or json.loads(answer.splitlines()[0])["type"] == "error"
    writer.close()


async def test_who_leaves_abruptly_hurts_nobody(listening, clips, transcribed):
    served, port = listening
    for events in ([Describe()], spoken(clips[0])[:50], spoken(clips[0])):
        client = AsyncTcpClient("127.0.0.1", port)
        await client.connect()
        await say(client, *events)
        writer = client._writer
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await say(client, *spoken(clips[1]))
        assert Transcript.from_event((await heard(client, Transcript))[-1]).text == transcribed(clips[1]).strip()
    assert "Traceback" not in "\n".join(served.log)


@asynccontextmanager
async def wired(idle: float) -> AsyncIterator[Wire]:
    """The server's side of a connection whose client neither says nor reads anything."""
    wires: asyncio.Queue[Wire] = asyncio.Queue()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wires.put_nowait(Wire(reader, writer, idle))

    server = await asyncio.get_running_loop().create_server(
        lambda: asyncio.StreamReaderProtocol(Reader(), accept), "127.0.0.1", 0
    )
    async with server:
        _, client = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=1)
        found = await wires.get()
        yield found
        found.hang_up()
        client.close()


async def test_who_does_not_read_is_cut_off(monkeypatch):
    monkeypatch.setattr(wire, "SLOW", 0.2)
    async with wired(10) as found:
        many = [Transcript(text="x" * 100_000)] * 1000
        with pytest.raises(LaggingError, match="nothing was read for"):
            await found.send(*many)


async def test_who_is_silent_is_refused():
    async with wired(0.1) as found:
        with pytest.raises(RefusedError, match="nothing was received for"):
            await found.receive()


def test_what_announces_it_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "asrd.gateway.wyoming.announcement", None)
    with pytest.raises(MissingExtraError, match="--announce needs"):
        Wyoming(WyomingOptions("127.0.0.1:0", announce=True))


def test_only_this_machine_unless_it_is_to_be_insecure():
    assert WyomingOptions("[::1]:10300")
    assert WyomingOptions("0.0.0.0:10300", insecure=True, tokens=True)
    with pytest.raises(UsageError, match=r"open to everyone on the network.*--insecure"):
        WyomingOptions("0.0.0.0:10300")
    with pytest.raises(UsageError, match="knows no tokens"):
        WyomingOptions("127.0.0.1:10300", tokens=True)
    with pytest.raises(UsageError, match="is not HOST:PORT"):
        WyomingOptions("10300")

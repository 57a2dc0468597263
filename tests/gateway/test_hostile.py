"""Malformed, huge, slow and abrupt clients are cut off, and others do not notice."""

import asyncio
import os
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import websockets
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from websockets.sync.client import connect

from asrd.gateway import guard, line, server
from asrd.gateway.access import Admission
from asrd.gateway.app import make_app
from asrd.gateway.errors import LaggingError
from asrd.gateway.line import Line
from asrd.gateway.options import GatewayOptions

from .conftest import Served, asked


async def length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


class Toy:
    """A host whose only protocol counts bytes and echoes messages."""

    def __init__(self, **options) -> None:
        self.options = GatewayOptions(http="127.0.0.1:0", **options)
        self.admission = Admission(origins=self.options.origins)
        self.ended: asyncio.Queue[Exception | None] = asyncio.Queue()

    def routes(self, _) -> list:
        return [Route("/length", length, methods=["POST"]), WebSocketRoute("/echo", self.echo)]

    async def echo(self, websocket) -> None:
        await websocket.accept()
        line_ = Line(websocket, self.options.idle)
        try:
            while (message := await line_.receive()) is not None:
                await line_.send({"said": len(message), "filling": "x" * 10_000})
            self.ended.put_nowait(None)
        except Exception as error:
            self.ended.put_nowait(error)
            raise


@asynccontextmanager
async def running(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Serve a toy; return its port."""
    monkeypatch.setattr("asrd.gateway.app.PROTOCOLS", (toy.routes,))
    serving_ = server.make_server(make_app(toy), toy.options)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        task = asyncio.create_task(serving_.serve([bound]))
        try:
            yield bound.getsockname()[1]
        finally:
            serving_.should_exit = True
            await asyncio.wait_for(task, 10)


async def exchange(port: int, data: bytes, *, end: bool = False) -> bytes:
    """Send bytes, and return all that comes until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
            if end:
                writer.write_eof()
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                return await reader.read()
            return b""
    finally:
        writer.close()


def head(*fields: str, port: int) -> bytes:
    return "\r\n".join(["POST /length HTTP/1.1", f"Host: 127.0.0.1:{port}", *fields, "", ""]).encode()


async def test_a_large_request_is_refused_whatever_it_declares(monkeypatch):
    async with running(Toy(upload=1000), monkeypatch) as port:
        honest = await exchange(port, head("Content-Length: 1001", port=port))
        assert b"413" in honest.splitlines()[0]
        assert b"a request has at most 1000 bytes here" in honest
        chunked = head("Transfer-Encoding: chunked", port=port) + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"
        assert b"413" in (await exchange(port, chunked)).splitlines()[0]
        fits = await exchange(port, head("Content-Length: 1000", "Connection: close", port=port) + b"x" * 1000)
        assert fits.endswith(b"1000")


async def test_a_page_that_is_let_in_may_read_the_answer(monkeypatch):
    async with running(Toy(origins=("https://let.in",)), monkeypatch) as port:
        for origin, status in (("https://let.in", b"200"), ("https://other.example", b"403")):
            request = head("Content-Length: 0", f"Origin: {origin}", "Connection: close", port=port)
            answer = await exchange(port, request)
            assert status in answer.splitlines()[0]
            allowed = f"access-control-allow-origin: {origin}".encode() in answer
            assert allowed == (status == b"200")


async def test_who_does_not_go_on_is_cut_off(monkeypatch):
    monkeypatch.setattr(guard, "BODY", 0.2)
    monkeypatch.setattr(server, "HANDSHAKE", 0.2)
    async with running(Toy(), monkeypatch) as port:
        assert b"408" in (await exchange(port, head("Content-Length: 10", port=port) + b"x")).splitlines()[0]
        assert await exchange(port, b"POST /length HTTP/1.1\r\nHo") == b""
        assert await exchange(port, b"") == b""


async def test_a_websocket_that_is_silent_is_closed(monkeypatch):
    async with running(Toy(idle=0.2), monkeypatch) as port, websockets.connect(f"ws://127.0.0.1:{port}/echo") as ws:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await ws.recv()
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "nothing was received for 0.2 s")


async def test_who_does_not_read_is_cut_off(monkeypatch):
    monkeypatch.setattr(line, "SLOW", 0.3)
    toy = Toy()
    async with running(toy, monkeypatch) as port:
        async with websockets.connect(f"ws://127.0.0.1:{port}/echo", max_queue=1, close_timeout=0.1) as ws:
            with suppress(websockets.ConnectionClosed):
                while toy.ended.empty():
                    await ws.send("x" * 100)
        assert isinstance(await asyncio.wait_for(toy.ended.get(), 10), LaggingError)


async def test_too_many_connections_are_closed_at_once(monkeypatch):
    monkeypatch.setattr(server, "CLIENTS", 3)
    async with running(Toy(), monkeypatch) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert await exchange(port, head("Content-Length: 0", "Connection: close", port=port)) == b""
        held.pop()[1].close()
        said = b""
        async with asyncio.timeout(10):
            while not said:
                said = await exchange(port, head("Content-Length: 0", "Connection: close", port=port))
        assert said.endswith(b"0")
        for _, writer in held:
            writer.close()


def works(served: Served) -> bool:
    return len(asked(f"{served.url}/v1/models")[1]["data"]) == 1


def raw(served: Served, data: bytes, *, reset: bool = False) -> None:
    """Send bytes to a server, and leave without a word."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client, suppress(OSError):
        client.sendall(data)
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def form(*, length: int) -> bytes:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF'
    fields = [b"POST /v1/audio/transcriptions HTTP/1.1", b"Host: localhost"]
    fields += [b"Content-Type: multipart/form-data; boundary=b", b"Content-Length: %d" % length, b"", b""]
    return b"\r\n".join(fields) + body


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nX: " + b"x" * 100_000,
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        form(length=10_000),
        form(length=80),
        b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["tls", "version", "header", "negative", "cut", "short", "no form"],
)
def test_malformed_requests_hurt_nobody(served, data):
    for reset in (False, True):
        raw(served, data, reset=reset)
    assert works(served)


def test_what_is_no_form_is_refused(served):
    status, answer = asked(f"{served.url}/v1/audio/transcriptions", "POST", b"{}")
    assert status == 400
    assert "the request has no file" in answer["error"]["message"]


def test_what_is_not_there_is_told_in_json(served):
    for method, path in (("GET", "/v2"), ("GET", "/v1/audio/transcriptions"), ("POST", "/v1/models")):
        status, answer = asked(served.url + path, method)
        assert status in (404, 405)
        assert answer["error"]["message"] == f"there is no {method} {path} here"


def test_a_message_that_is_too_large_ends_its_connection(served):
    with connect(f"{served.ws}/v1/realtime", max_size=None) as ws:
        ws.recv()
        with suppress(websockets.ConnectionClosed):
            ws.send("x" * (17 << 20))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            ws.recv()
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    assert works(served)


def test_random_bytes_in_websockets_hurt_nobody(served):
    chance = random.Random(7)
    for _ in range(20):
        with connect(f"{served.ws}/v1/realtime") as ws:
            ws.recv()
            kind = chance.randrange(3)
            if kind == 0:
                ws.socket.sendall(chance.randbytes(chance.randrange(1, 200)))
            elif kind == 1:
                ws.send(chance.randbytes(chance.randrange(1, 200)))
            else:
                ws.send('{"type": "input_audio_buffer.append", "audio": "' + "AAAA" * chance.randrange(1, 9999))
            ws.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, chance.randrange(2)))
            os.close(ws.socket.detach())
    assert works(served)
    defects = [line for line in served.log if "Traceback" in line or "Exception" in line]
    assert defects == [], "\n".join(served.log)

"""Listeners get everything once and in order, or are told why not; and only those who may."""

import asyncio
import json
from contextlib import aclosing, nullcontext, suppress
from types import SimpleNamespace

import pytest
import websockets
from hypothesis import given, settings
from hypothesis import strategies as st

from asrd.core import events
from asrd.core.errors import AudioError
from asrd.core.events import Error, Gap, Heartbeat
from asrd.core.roles import Role
from asrd.daemon.sources.fed import FedSource
from asrd.gateway import hub
from asrd.gateway.access import Admission
from asrd.gateway.events import server_sent
from asrd.gateway.events.conversation import Conversation
from asrd.gateway.events.feed import Feed
from asrd.gateway.events.wish import Mark, Wish
from asrd.gateway.host import Host
from asrd.gateway.tokens import read_tokens

from .stage import publishing, serving


class LateJournal:
    """Has each event written a moment later than the next is published."""

    first = ticket = 0

    def write(self, event: events.Event, payload: bytes) -> int:
        self.ticket += 1
        return self.ticket

    async def settled(self, ticket: int) -> None:
        for _ in range(7):
            await asyncio.sleep(0)


KINDS = {"g": Gap(start=0, end=1, reason="r"), "h": Heartbeat(uptime=1.0)}


async def told(feed: Feed, pauses: list[int]) -> list[dict]:
    """Return what a listener gets that stays away for a while between two events."""
    found = []
    async with aclosing(feed.told()) as all_:
        async for one in all_:
            found.append(json.loads(one.payload))
            for _ in range(pauses[len(found) % len(pauses)]):
                await asyncio.sleep(0)
    return found


@settings(max_examples=40)
@given(
    before=st.text("gh", max_size=12),
    after=st.text("gh", max_size=12),
    since=st.integers(-1, 12) | st.none(),
    pauses=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    journal=st.booleans(),
)
def test_a_listener_gets_what_lasts_once_and_then_all(before, after, since, pauses, journal):
    async def listened() -> list[dict]:
        async with publishing() as (host, publisher), asyncio.TaskGroup() as group:
            if journal:
                publisher.begin(LateJournal())
            for letter in before:
                group.create_task(publisher.publish(KINDS[letter]))
                await asyncio.sleep(0)
            wish = Wish(since=None if since is None else Mark(min(since, len(before) - 1)))
            listening = asyncio.create_task(told(Feed(host, wish), pauses))
            for letter in after:
                group.create_task(publisher.publish(KINDS[letter]))
                await asyncio.sleep(0)
            for _ in range(200):
                await asyncio.sleep(0)
            host.hub.close()
            return await asyncio.wait_for(listening, 10)

    greeting, *rest = asyncio.run(listened())
    seqs = [event["seq"] for event in rest]
    assert greeting["greeting"]
    assert seqs == sorted(set(seqs))
    letters = dict(enumerate(before + after))
    assert {seq for seq in letters if seq > greeting["seq"] and letters[seq] == "g"} <= set(seqs)
    assert all({"gap": "g", "heartbeat": "h"}[event["type"]] == letters[event["seq"]] for event in rest)
    if since is not None:
        assert greeting["seq"] == min(since, len(before) - 1)


async def last(ws: websockets.ClientConnection) -> tuple[int, str]:
    """Return how a server closes a connection."""
    try:
        async with asyncio.timeout(10):
            async for _ in ws:
                pass
    except websockets.ConnectionClosed:
        pass
    assert ws.close_code
    return ws.close_code, ws.close_reason or ""


async def inboxes(host: Host, count: int) -> None:
    """Wait until so many inboxes are open."""
    for _ in range(1000):
        if len(host.hub._inboxes.get(None, ())) == count:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_what_is_forgotten_is_a_hole(monkeypatch):
    monkeypatch.setattr("asrd.daemon.server.history.REMEMBERED", 3)
    async with publishing() as (host, publisher):
        for _ in range(10):
            await publisher.publish(KINDS["g"])
        host.hub.close()
        _, hole, *rest = await told(Feed(host, Wish(since=Mark(1))), [0])
    assert hole == {"type": "hole", "daemon": publisher.daemon, "first": 2, "last": 6}
    assert [event["seq"] for event in rest] == [7, 8, 9]


async def test_only_what_is_asked_for_is_told():
    async with publishing() as (host, publisher):
        for stream in ("a", "b", events.DAEMON_STREAM):
            await publisher.publish(KINDS["g"], stream)
            await publisher.publish(Error(message="e"), stream)
        host.hub.close()
        wish = Wish(frozenset({"a"}), frozenset({"error"}), since=Mark(-1))
        found = await told(Feed(host, wish), [0])
    assert [(event["type"], event["stream"]) for event in found] == [("error", "a"), ("error", "daemon")]


async def test_who_reads_too_slowly_is_told_so_and_hung_up_on(monkeypatch):
    monkeypatch.setattr(hub, "MOST", 5)
    async with publishing() as (host, publisher), serving(host) as port:
        address = f"ws://127.0.0.1:{port}/ws?listen=all"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with websockets.connect(address) as ws:
            writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            await ws.recv()
            await inboxes(host, 2)
            for _ in range(20):  # at once, so that nobody can read in between
                await publisher.publish(KINDS["g"])
            assert await last(ws) == (1013, "more than 5 events were not read; connect again, and read faster")
            said = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 10)
            assert b'{"type":"closed","message":"more than 5 events were not read' in said
            writer.close()


async def test_who_does_not_read_at_all_is_cut_off(monkeypatch):
    monkeypatch.setattr(server_sent, "SLOW", 0.2)
    async with publishing() as (host, publisher), serving(host) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        await reader.readuntil(b"greeting")
        async with asyncio.timeout(10):
            while host.hub._inboxes:
                await publisher.publish(Error(message="x" * 100_000))
                await asyncio.sleep(0.01)
        with suppress(ConnectionError):
            while await asyncio.wait_for(reader.read(1 << 20), 10):
                pass
        writer.close()


async def test_silence_is_broken_by_lines_that_say_nothing(monkeypatch):
    monkeypatch.setattr(server_sent, "QUIET", 0.05)
    async with publishing() as (host, _), serving(host) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /events?types=final HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        await asyncio.wait_for(reader.readuntil(b":\n\n\r\n3\r\n:\n\n"), 10)
        writer.close()


async def test_a_listener_that_goes_is_forgotten():
    async with publishing() as (host, _), serving(host) as port:
        async with websockets.connect(f"ws://127.0.0.1:{port}/ws?listen=all") as ws:
            await ws.recv()
            await inboxes(host, 1)
        await inboxes(host, 0)


class Recited:
    """A line whose client says what is written down, and keeps what it is told."""

    def __init__(self, *said: str | bytes) -> None:
        self._said, self.told = iter(said), []

    async def receive(self) -> str | bytes | None:
        await asyncio.sleep(0)
        return next(self._said, None)

    async def send(self, record: dict) -> None:
        self.told.append(record)


@pytest.mark.parametrize(("form", "audio", "closes"), [("s16le", bytes(8), True), ("f32le", b"\0\0\xc0\x7f", False)])
async def test_audio_that_comes_while_the_daemon_stops_is_no_fault(form, audio, closes):
    """Unlike audio that is none: what is no number."""

    async def join(source: FedSource) -> SimpleNamespace:
        if closes:
            await source.close()
        return SimpleNamespace(failure="")

    async with publishing() as (host, _):
        host.daemon.streams = SimpleNamespace(join=join)
        line = Recited(json.dumps({"rate": 16_000, "format": form, "name": "a"}), audio)
        conversation = Conversation(host, line, None, lambda: None)
        with nullcontext() if closes else pytest.raises(AudioError, match="is not a number"):
            await conversation.listen()
        await conversation.close()
        assert line.told == [{"type": "joined", "stream": "a"}]
        assert not host.sessions


async def test_roles_tell_who_may_listen_and_speak(tmp_path):
    file, tokens = tmp_path / "tokens", {role: f"{role}-0123456789" for role in Role}
    file.write_text("".join(f"{token} {role}\n" for role, token in tokens.items()), encoding="utf-8")
    file.chmod(0o600)
    async with publishing(Admission(read_tokens(file))) as (host, _), serving(host) as port:

        async def status(path: str, token: str) -> int:
            try:
                protocols = ["asrd", f"openai-insecure-api-key.{token}"] if token else None
                async with websockets.connect(f"ws://127.0.0.1:{port}{path}", subprotocols=protocols) as ws:
                    assert ws.subprotocol == ("asrd" if token else None)
                    return 101
            except websockets.InvalidStatus as refused:
                return refused.response.status_code

        assert [await status("/ws?listen=all", token) for token in ("", "wrong", *tokens.values())] == [
            401,
            401,
            101,
            403,
            101,
        ]
        assert [await status("/ws", token) for token in ("", "wrong", *tokens.values())] == [401, 401, 403, 101, 101]
        async with websockets.connect(f"ws://127.0.0.1:{port}/ws?listen=all&token={tokens[Role.LISTEN]}") as ws:
            await ws.send('{"rate": 16000}')
            assert await last(ws) == (1008, "this token may listen only, not speak")

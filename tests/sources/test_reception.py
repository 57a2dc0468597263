"""Every sender is a stream of its own, over real sockets."""

import asyncio
from collections import defaultdict

import msgspec
import numpy as np
import pytest
import zmq.asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from asrd.core.pcm import PcmHeader
from asrd.daemon.sources import session
from asrd.daemon.sources.reception import Reception

PART = 100


def message(name, position, value, **changes):
    """A message of `PART` samples, each of which is `value`."""
    fields = {"rate": 16_000, "channels": 1, "format": "s16le", "captured": 1.0, **changes}
    pcm = b"" if changes.get("end") else np.full(PART, value, "<i2").tobytes()
    return PcmHeader(session=name, position=position, **fields), pcm


def whole(name, value, parts, **changes):
    sent = [message(name, PART * part, value, **changes) for part in range(parts)]
    return [*sent, message(name, PART * parts, value, **changes | {"end": True})]


class Room:
    """A reception whose sources are heard here."""

    def __init__(self, folder, **options):
        self.reception = Reception("call", f"ipc://{folder}/call", **options)
        self.chunks, self.left = defaultdict(list), asyncio.Queue()
        self.begun = asyncio.Queue()
        self.hearing, self.may_hear = [], asyncio.Event()
        self.may_hear.set()

    async def __aenter__(self):
        await self.reception.open()
        self._running = asyncio.create_task(self.reception.run(self.join))
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.sndhwm = 0
        self._socket.connect(self.reception.inlet.bound)
        return self

    async def __aexit__(self, *_):
        await self.reception.close()
        await asyncio.wait_for(self._running, 10)
        for source, _ in self.hearing:
            await source.close()
        self.may_hear.set()
        await asyncio.wait_for(asyncio.gather(*(task for _, task in self.hearing)), 10)
        self._context.destroy(linger=0)

    async def join(self, source):
        self.hearing.append((source, asyncio.create_task(self._hear(source))))

    async def _hear(self, source):
        async for chunk in source.chunks():
            if source.stream not in self.chunks:
                self.begun.put_nowait(source.stream)
            self.chunks[source.stream].append(chunk)
            await self.may_hear.wait()
        self.left.put_nowait(source.stream)

    async def send(self, *messages):
        for header, pcm in messages:
            await self._socket.send_multipart([msgspec.json.encode(header), pcm])

    async def wait(self, count=1):
        """Wait until sources have ended; return their names."""
        async with asyncio.timeout(20):
            return {await self.left.get() for _ in range(count)}

    def heard(self, stream):
        return np.concatenate([chunk.pcm for chunk in self.chunks[stream]]) * 32_768

    def lost(self, stream):
        return sum(chunk.lost for chunk in self.chunks[stream])


def run(folder, test, **options):
    async def main():
        async with Room(folder, **options) as room:
            await test(room)

    asyncio.run(main())


def test_senders_that_speak_at_once_are_heard_apart(tmp_path):
    async def test(room):
        many = [whole(f"n{value}", value, 5) for value in range(1, 9)]
        await room.send(*(one for turn in zip(*many, strict=True) for one in turn))
        assert await room.wait(8) == {f"call-n{value}" for value in range(1, 9)}
        for value in range(1, 9):
            assert np.array_equal(room.heard(f"call-n{value}"), np.full(5 * PART, value, np.float32))
            assert room.chunks[f"call-n{value}"][0].start == room.lost(f"call-n{value}") == 0

    run(tmp_path, test)


@pytest.mark.parametrize(("name", "stream"), [("a.b c/é", "call-a-b-c"), ("*", "call-session"), ("-", "call-session")])
def test_a_session_may_be_called_anything(tmp_path, name, stream):
    async def test(room):
        await room.send(*whole(name, 1, 1))
        assert await room.wait() == {stream}

    run(tmp_path, test)


def test_more_sessions_than_may_be_are_named_and_heard_once_there_is_room(tmp_path):
    async def test(room):
        first, second = whole("first", 1, 3), whole("second", 2, 4)
        await room.send(first[0], *second[:2], *first[1:])
        await room.wait()
        await room.send(*second[2:])
        await room.wait()
        assert [*room.reception.notices] == ["second is not heard: 1 sessions are; allow more with &most="]
        assert np.array_equal(room.heard("call-second"), np.full(2 * PART, 2, np.float32))
        assert room.lost("call-second") == 2 * PART

    run(tmp_path, test, most=1)


def test_what_a_session_says_again_after_its_end_is_not_heard_twice(tmp_path):
    async def test(room):
        await room.send(*whole("one", 1, 2))
        await room.wait()
        await room.send(message("one", 2 * PART, 1, end=True, again=True), *whole("other", 2, 1))
        assert await room.wait() == {"call-other"}

    run(tmp_path, test)


def test_one_that_leaves_without_an_end_is_over_after_a_while_and_may_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "AWAY", 0.3)

    async def test(room):
        sent = whole("one", 1, 4)
        await room.send(*sent[:2])
        await room.wait()
        await room.send(*sent[3:])
        await room.wait()
        assert room.lost("call-one") == PART
        assert len(room.heard("call-one")) == 3 * PART

    run(tmp_path, test)


def test_what_is_missing_at_an_end_is_lost(tmp_path):
    async def test(room):
        sent = whole("one", 1, 4, length=4 * PART)
        await room.send(sent[0], sent[-1])
        await room.wait()
        assert room.lost("call-one") == 3 * PART

    run(tmp_path, test)


@pytest.mark.parametrize("waits", [False, True])
def test_a_session_that_may_not_be_late_loses_what_would_be(tmp_path, monkeypatch, waits):
    """One that waits is held up instead, and another is heard meanwhile."""
    monkeypatch.setattr(session, "LAG", 0.05)
    monkeypatch.setattr(session, "ROOM", 10_000)

    async def test(room):
        room.may_hear.clear()
        parts = 200 if waits else 20
        sending = asyncio.create_task(room.send(*whole("fast", 1, parts, waits=waits)))
        await asyncio.sleep(0)
        if not waits:
            await room.send(*whole("other", 2, 1))
            assert [await room.begun.get(), await room.begun.get()] == ["call-fast", "call-other"]
        room.may_hear.set()
        await sending
        await room.wait(1 if waits else 2)
        heard, lost = len(room.heard("call-fast")), room.lost("call-fast")
        assert heard + lost == parts * PART
        assert bool(lost) is not waits
        late = "fast is heard more than 0 s late; audio is dropped"
        assert [*room.reception.notices] == ([] if waits else [late])

    run(tmp_path, test)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40),
)
def test_all_that_each_sent_is_heard_or_lost(tmp_path_factory, turns):
    """turns: who sends next, and whether that message is lost on the way."""

    async def test(room):
        positions, kept = defaultdict(int), defaultdict(int)
        for who, lost in turns:
            if not lost:
                kept[who] += PART
                await room.send(message(f"n{who}", positions[who], who + 1))
            elif not kept[who]:
                continue  # before its first message nothing can be missing
            positions[who] += PART
        for who, position in positions.items():
            await room.send(message(f"n{who}", position, who, end=True))
        await room.wait(len(positions))
        for who, position in positions.items():
            assert np.array_equal(room.heard(f"call-n{who}"), np.full(kept[who], who + 1, np.float32))
            assert room.lost(f"call-n{who}") == position - kept[who]

    run(tmp_path_factory.mktemp("call"), test)

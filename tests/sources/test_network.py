import asyncio
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest
import zmq

from asrd.clients.sender import Sender
from asrd.core.errors import TransportError, UsageError
from asrd.core.pcm import PcmHeader
from asrd.daemon.sources import sessions, waiting
from asrd.daemon.sources.network import NetworkSource
from asrd.daemon.sources.resample import Resampler
from asrd.daemon.transport.access import Access

good = np.full(100, 8_192, "<i2").tobytes()

ANY_PORT = "tcp://127.0.0.1:*"


@pytest.fixture
def address(tmp_path):
    return f"ipc://{tmp_path}/pcm.sock"


def header(session="s", position=0, **changes):
    fields = {"rate": 16_000, "channels": 1, "format": "s16le", "captured": 1.0, **changes}
    return PcmHeader(session=session, position=position, **fields)


def bound(source):
    """Return where an open source listens, with the actual port in place of ANY_PORT."""
    return source.inlet.bound


def receive(address, send, until):
    """Open a source, run `send()` in a thread, and collect chunks until `until(chunks)`."""

    async def run():
        source = NetworkSource("net", address)
        await source.open()
        sending = asyncio.create_task(asyncio.to_thread(send, bound(source)))
        found = []
        async with asyncio.timeout(20):
            async for chunk in source.chunks():
                found.append(chunk)
                if until(found):
                    await source.close()
        await sending
        return found

    return asyncio.run(run())


def ended(times):
    return lambda chunks: sum("has ended" in chunk.reason for chunk in chunks) == times


def push(*messages):
    """A sender that puts these messages on the wire unchanged."""

    def send(address):
        with zmq.Context() as context, context.socket(zmq.PUSH) as sender:
            sender.connect(address)
            for message in messages:
                if isinstance(message, float):
                    time.sleep(message)
                    continue
                head, pcm = message
                sender.send_multipart([head if isinstance(head, bytes) else msgspec.json.encode(head), pcm])

    return send


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_stereo_sender_at_44100_hz_arrives_sample_for_sample(audio, chirp, dtype):
    stereo = np.stack([chirp(3.0, 44_100), chirp(3.0, 44_100)], axis=1)
    if dtype == "int16":
        stereo = (stereo * 32_767).astype(np.int16)

    def send(address):
        with Sender(address, rate=44_100, channels=2) as sender:
            for block in np.array_split(stereo, 77):
                sender.send(block)

    began = time.time()
    chunks = receive(ANY_PORT, send, ended(1))
    heard = audio(chunks)
    assert len(heard) == 48_000
    assert np.abs(heard - chirp(3.0))[200:-200].max() < 1e-3
    assert not any(chunk.lost for chunk in chunks)
    assert all(began - 1 <= chunk.captured <= time.time() for chunk in chunks)
    assert chunks[-1].reason == "the sender has ended"
    assert len(chunks[-1].pcm) == 0


def test_one_sender_after_the_other_on_one_clock(address, audio):
    def send(address):
        for value in (0.25, 0.5):
            with Sender(address) as sender:
                sender.send(np.full(1_000, value, np.float32))

    heard = audio(receive(address, send, ended(2)))
    assert np.array_equal(heard, np.repeat(np.array([0.25, 0.5], np.float32), 1_000))


def test_holes_are_lost_audio_wherever_they_are(address, audio):
    def send(address):
        with Sender(address, rate=48_000) as sender:
            sender.send(np.zeros(4_800, np.float32))
            sender.skip(3_000)
            sender.send(np.zeros(4_800, np.float32))
            sender.skip(6_000)

    chunks = receive(address, send, ended(1))
    assert [chunk.lost for chunk in chunks if chunk.lost] == [1_000, 2_000]
    assert all("lost" in chunk.reason for chunk in chunks if chunk.lost)
    assert len(audio(chunks)) == 3_200


def test_a_second_sender_waits_and_is_heard_after_the_first(address, audio, caplog):
    messages = []
    for position in range(0, 1_000, 100):
        for name, value in (("first", 8_192), ("second", 1), ("third", 2)):
            messages.append((header(name, position), np.full(100, value, "<i2").tobytes()))
    messages += [(header(name, 1_000, end=True), b"") for name in ("third", "first", "second")]
    with caplog.at_level(logging.WARNING):
        chunks = receive(address, push(*messages), ended(3))
    assert np.array_equal(audio(chunks) * 32_768, np.repeat(np.array([8_192, 1, 2], np.float32), 1_000))
    assert not any(chunk.lost for chunk in chunks)
    assert not caplog.records


def test_the_next_sender_is_read_before_the_last_has_ended_and_both_are_heard_whole(address, audio):
    """Both have sent everything before anything is read, so that the socket returns their messages in turn."""

    def send():
        for value in (100, 200):
            with Sender(address) as sender:
                sender.send(np.full(16_000, value, np.int16))

    async def run():
        source = NetworkSource("net", address)
        await source.open()
        await asyncio.to_thread(send)
        found = []
        async with asyncio.timeout(20):
            async for chunk in source.chunks():
                found.append(chunk)
                if ended(2)(found):
                    await source.close()
        return found

    assert np.array_equal(audio(asyncio.run(run())) * 32_768, np.repeat(np.float32([100, 200]), 16_000))


def test_what_cannot_wait_is_lost_and_said_to_be(address, audio, monkeypatch, caplog):
    monkeypatch.setattr(waiting, "ROOM", waiting.RESERVE + 3 * (200 + waiting.OVERHEAD))
    messages = [(header("first"), good)]
    messages += [(header("second", position), good) for position in range(0, 500, 100)]  # three of these fit
    messages += [(header("third", position), good) for position in range(0, 200, 100)]  # none of these
    messages += [(header("second", 500, end=True), b""), (header("first", 100, end=True), b"")]
    messages += [(header("third", 200), good), (header("third", 300, end=True), b"")]
    with caplog.at_level(logging.WARNING):
        chunks = receive(address, push(*messages), ended(3))
    assert [(int(chunk.start), chunk.lost) for chunk in chunks if chunk.lost] == [(600, 200), (800, 200)]
    assert len(audio(chunks)) == 100 + 300 + 100
    assert [record.getMessage() for record in caplog.records] == [
        "net: second sends more than can wait while first is sending; audio is lost"
    ]


def test_those_never_heard_are_named_in_the_log(address, caplog):
    messages = [(header("first"), good), (header("second"), good), (header("first", 100), good)]
    with caplog.at_level(logging.WARNING):
        receive(address, push(*messages), lambda chunks: len(chunks) == 2)
    assert [record.getMessage() for record in caplog.records] == ["net: closed before 1 waiting sender(s) were heard"]


def test_a_silent_sender_makes_room_and_may_come_back(address, audio, monkeypatch):
    monkeypatch.setattr(sessions, "IDLE", 0.3)
    second = np.full(1_000, 8_192, "<i2").tobytes()
    messages = [(header("a", 0), second), 0.6, (header("a", 1_500), second), 0.6, (header("b", 0, end=True), second)]
    chunks = receive(address, push(*messages), ended(1))
    assert [chunk.reason for chunk in chunks if not len(chunk.pcm)] == [
        "nothing received for 0.3 s",
        "nothing received for 0.3 s",
        "the sender has ended",
    ]
    assert [chunk.lost for chunk in chunks if chunk.lost] == [500]
    assert len(audio(chunks)) == 3_000


@pytest.mark.parametrize("end", [True, False])
def test_what_is_missing_of_a_known_length_is_lost_audio(address, audio, monkeypatch, end):
    """Also where the sender is gone before its last messages have arrived."""
    monkeypatch.setattr(sessions, "IDLE", 0.3)
    block = np.full(1_000, 8_192, "<i2").tobytes()
    messages = [(header("a", 0, length=2_500), block), *[(header("a", 1_000, end=True), b"")] * end]
    messages += [0.6, (header("b", 0, length=1_000), block), (header("b", 1_000, end=True), b"")]
    chunks = receive(address, push(*messages), lambda chunks: chunks[-1].reason == "the sender has ended")
    assert [chunk.lost for chunk in chunks if chunk.lost] == [1_500]
    [lost] = [chunk for chunk in chunks if chunk.lost]
    assert "lost" in lost.reason
    assert len(audio(chunks)) == 2_000


def test_a_sender_of_known_length_may_fall_silent_and_come_back(address, audio, monkeypatch):
    """What it still sends is heard once, and is no gap."""
    monkeypatch.setattr(sessions, "IDLE", 0.3)
    block = np.full(1_000, 8_192, "<i2").tobytes()
    messages = [(header("a", 0, length=2_000), block), 0.6, (header("a", 1_000, length=2_000), block)]
    chunks = receive(address, push(*messages, (header("a", 2_000, end=True), b"")), ended(1))
    assert not any(chunk.lost for chunk in chunks)
    assert len(audio(chunks)) == 2_000


def test_what_is_missing_at_the_end_of_all_is_named_when_it_closes(monkeypatch):
    block = np.full(1_000, 8_192, "<i2").tobytes()
    heard = sessions.Sessions("net")
    chunks = [*heard.receive([msgspec.json.encode(header("a", 0, length=2_500)), block]), *heard.expire()]
    assert not any(chunk.lost for chunk in chunks)
    assert [chunk.lost for chunk in heard.close() if chunk.lost] == [1_500]
    assert not any(chunk.lost for chunk in heard.close())


def test_what_would_be_heard_much_later_is_lost_unless_it_can_wait(address, audio, monkeypatch):
    monkeypatch.setattr(waiting, "LAG", 0.1)
    block = np.full(1_000, 8_192, "<i2").tobytes()
    messages = [(header("first"), block)]
    for position in range(0, 4_000, 1_000):
        messages.append((header("file", position, waits=True), block))
        messages.append((header("live", position), block))
    messages += [(header(name, 4_000, end=True), b"") for name in ("file", "live")]
    messages.append((header("first", 1_000, end=True), b""))
    chunks = receive(address, push(*messages), ended(2))
    assert [chunk.lost for chunk in chunks if chunk.lost] == [2_000]
    assert len(audio(chunks)) == 7_000


def test_a_sender_that_was_restarted_under_the_same_name_is_heard_again(address, audio, monkeypatch):
    monkeypatch.setattr(sessions, "IDLE", 0.3)
    block = np.full(1_000, 8_192, "<i2").tobytes()
    messages = [(header("a", 0), block), 0.6, (header("a", 0, rate=8_000), block), (header("a", 1_000, end=True), b"")]
    messages[-1] = (header("a", 1_000, rate=8_000, end=True), b"")
    chunks = receive(address, push(*messages), ended(1))
    assert len(audio(chunks)) == 3_000


MALFORMED = [
    (b"", good),
    (b"{}", good),
    (b"\xff\xfe", good),
    (b"[1, 2]", good),
    (msgspec.json.encode(header()).replace(b'"schema":1', b'"schema":2'), good),
    (msgspec.json.encode(header()).replace(b"16000", b"0"), good),
    (msgspec.json.encode(header()).replace(b'"position":0', b'"position":-5'), good),
    (msgspec.json.encode(header()).replace(b'"position":0', b'"position":1e99'), good),
    (header(position=100), good[:-1]),
    (header(position=100, channels=3), good),
    (header(position=100, format="f32le"), np.full(50, np.inf, "<f4").tobytes()),
    (header(position=0), good),  # went back
    (header(position=200, rate=8_000), good),  # changed its rate
    (header(position=100 + 3_601 * 16_000), good),  # leapt more than an hour
    (header(position=2**53), good),
    (header(position=100, length=150), good),
]


@pytest.mark.parametrize("bad", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_messages_are_ignored_with_one_line(address, audio, caplog, bad):
    messages = [(header(), good), bad, bad, (header(position=200), good), (header(position=300, end=True), b"")]
    with caplog.at_level(logging.WARNING):
        chunks = receive(address, push(*messages), ended(1))
    assert len(audio(chunks)) == 200
    assert [chunk.lost for chunk in chunks if chunk.lost] == [100]  # what the bad message should have held
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()


def test_a_message_without_samples_is_told_what_it_lacks(caplog):
    assert list(sessions.Sessions("net").receive([b"hello"])) == []
    assert caplog.messages == ["net: a malformed message was ignored: it has 1 part, not a header and samples"]


def test_no_number_of_leaps_takes_the_clock_beyond_its_range(monkeypatch):
    monkeypatch.setattr(sessions, "LAST", 2 * 3_600 * 16_000)
    heard = sessions.Sessions("net")
    ends = []
    for name in "abcde":
        for position in (0, 3_600 * 1_000):
            message = header(name, position, rate=1_000, end=position > 0)
            chunks = [*heard.receive([msgspec.json.encode(message), good])]
        ends += [chunk.start + len(chunk.pcm) for chunk in chunks]
    assert max(ends, default=0) < 3 * 3_600 * 16_000


def test_a_message_of_half_an_hour_holds_up_nobody_else(address, audio, chirp):
    """Its audio arrives a second at a time, each with its own time of capture, and other tasks run in between."""
    sound = np.tile((chirp(100.0, 1_000, high=400.0) * 32_767).astype("<i2"), 18)
    turns = []

    async def run():
        source = NetworkSource("net", address)
        await source.open()
        others = asyncio.create_task(take_turns())
        push((header(rate=1_000, captured=1_800.0, end=True), sound.tobytes()))(address)
        found = []
        async for chunk in source.chunks():
            found.append(chunk)
            turns.append(0)
            if "has ended" in chunk.reason:
                await source.close()
        others.cancel()
        return found

    async def take_turns():
        while True:
            if turns:
                turns[-1] += 1
            await asyncio.sleep(0)

    chunks = asyncio.run(asyncio.wait_for(run(), 20))
    heard = audio(chunks)
    assert len(heard) == 1_800 * 16_000
    assert max(len(chunk.pcm) for chunk in chunks) <= 32_000  # the filter gives what it has now and then
    assert min(turns[:-1]) > 0
    for chunk in chunks:
        assert chunk.captured == pytest.approx((chunk.start + len(chunk.pcm)) / 16_000, abs=0.001)
    whole = Resampler(1_000)
    assert np.array_equal(heard, np.concatenate([whole.push(np.float32(sound) / 32_768), whole.flush()]))


def test_a_message_of_one_part_or_three_is_ignored(address, audio, caplog):
    def send(address):
        with zmq.Context() as context, context.socket(zmq.PUSH) as sender:
            sender.connect(address)
            sender.send(b"GET / HTTP/1.1")
            sender.send_multipart([b"a", b"b", b"c"])
            sender.send_multipart([msgspec.json.encode(header(end=True)), good])

    assert len(audio(receive(address, send, ended(1)))) == 100
    assert len(caplog.records) == 1


@pytest.mark.parametrize("scheme", ["tcp", "ipc"])
def test_an_address_in_use_is_one_line(address, scheme):
    async def run():
        first = NetworkSource("a", ANY_PORT if scheme == "tcp" else address)
        await first.open()
        taken = bound(first)
        second = NetworkSource("b", taken)
        try:
            with pytest.raises(TransportError, match="is in use by another program") as caught:
                await second.open()
            await second.close()
        finally:
            await first.close()
        assert "\n" not in str(caught.value)
        again = NetworkSource("c", taken)
        await again.open()
        await again.close()

    asyncio.run(run())


@pytest.mark.parametrize("address", ["tcp://", "tcp://no-such.invalid:7000", "ipc:///no/such/x", f"ipc:///{'x' * 200}"])
def test_an_address_that_cannot_be_bound_is_one_line(address):
    with pytest.raises(TransportError, match="cannot be bound") as caught:
        asyncio.run(NetworkSource("a", address, Access(insecure=True)).open())
    assert "addr=" not in str(caught.value)


def test_a_file_is_not_replaced_by_a_socket(tmp_path):
    kept = tmp_path / "notes.txt"
    kept.write_text("dear", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file, which a socket would replace"):
        asyncio.run(NetworkSource("a", f"ipc://{kept}").open())
    assert kept.read_text(encoding="utf-8") == "dear"


@pytest.mark.parametrize("way", ["close", "cancel"])
def test_waiting_for_a_sender_ends_when_it_should(address, way):
    async def run():
        source = NetworkSource("a", address)
        await source.open()
        waiting = asyncio.ensure_future(anext(source.chunks(), None))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        if way == "cancel":
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await source.close()
        await source.close()
        if way == "close":
            assert await asyncio.wait_for(waiting, 1) is None

    asyncio.run(run())


def test_a_sender_with_nobody_to_send_to_says_how_to_start_one(address):
    began = time.monotonic()
    remedy = f"nothing listens at {address}; start a daemon with 'asrd start --source pcm:{address}'"
    with pytest.raises(TransportError) as caught, Sender(address, timeout=0.3):
        pass
    assert str(caught.value) == remedy
    assert time.monotonic() - began < 2


def test_a_sender_to_something_else_or_nowhere_is_refused():
    with (
        socket.create_server(("127.0.0.1", 0)) as other,  # accepts, but does not speak ZeroMQ
        pytest.raises(TransportError, match="nothing listens"),
        Sender(f"tcp://127.0.0.1:{other.getsockname()[1]}", timeout=0.3),
    ):
        pass
    with pytest.raises(UsageError, match="is not an address"), Sender("nonsense"):
        pass
    with pytest.raises(UsageError, match="cannot send"):
        Sender("tcp://127.0.0.1:1", rate=0)


def test_samples_whose_scale_is_unknown_are_refused(address):
    with zmq.Context() as context, context.socket(zmq.PULL) as daemon:
        daemon.bind(address)
        with pytest.raises(UsageError, match="int32"), Sender(address) as sender:
            sender.send(np.zeros(10, np.int32))


def test_a_daemon_that_stops_listening_stops_the_sender(address):
    def send_for_ever(sender, daemon):
        daemon.close(linger=0)
        while True:
            sender.send(np.zeros(1_600, np.int16))

    with zmq.Context() as context, context.socket(zmq.PULL) as daemon:
        daemon.bind(address)
        with pytest.raises(TransportError, match="has gone"), Sender(address, timeout=0.3) as sender:
            send_for_ever(sender, daemon)


def fill(sender):
    """Send until it fails."""
    while True:
        sender.send(np.zeros(16_000, np.int16))


def test_a_daemon_that_takes_nothing_is_given_up(address):
    with zmq.Context() as context, context.socket(zmq.PULL) as daemon:
        daemon.bind(address)
        with pytest.raises(TransportError, match=r"took no audio for 0\.3 s"), Sender(address, max_wait=0.3) as sender:
            fill(sender)


def test_a_daemon_that_is_behind_is_waited_for_longer_than_one_that_is_not_there():
    """The daemon hears 0.1 s of audio in 0.02 s, and at first stands still for longer than the sender's `timeout`."""

    def hear(daemon):
        time.sleep(0.5)
        frames = 0
        while daemon.poll(5_000):
            message, payload = daemon.recv_multipart()
            if msgspec.json.decode(message)["end"]:
                return frames
            frames += len(payload) // 2
            time.sleep(0.02 * len(payload) / 3_200)
        return frames

    with zmq.Context() as context, context.socket(zmq.PULL) as daemon, ThreadPoolExecutor() as threads:
        daemon.rcvhwm = 32
        daemon.setsockopt(zmq.RCVBUF, 1 << 16)
        daemon.bind(ANY_PORT)
        hearing = threads.submit(hear, daemon)
        with Sender(daemon.last_endpoint.decode(), timeout=0.2) as sender:
            for _ in range(12):
                sender.send(np.zeros(16_000, np.int16))
        assert hearing.result() == 192_000


def test_long_blocks_are_cut_so_that_the_queue_empties_steadily(address, audio):
    def send(address):
        with Sender(address) as sender:
            sender.send(np.zeros(16_000, np.float32))

    chunks = receive(address, send, ended(1))
    assert len(audio(chunks)) == 16_000
    assert max(len(chunk.pcm) for chunk in chunks) <= 1_600


def test_a_slow_daemon_holds_the_sender_back_and_loses_nothing(address, audio):
    """The sender has more audio than all queues hold, and sends as fast as a slow receiver takes it."""
    sent = []

    def send(address):
        with Sender(address) as sender:
            for number in range(200):
                sender.send(np.full(8_000, number, np.int16))
                sent.append(number)

    async def run():
        source = NetworkSource("net", address)
        await source.open()
        sending = asyncio.create_task(asyncio.to_thread(send, address))
        await asyncio.sleep(0.5)
        held = len(sent)
        found = []
        async with asyncio.timeout(20):
            async for chunk in source.chunks():
                found.append(chunk)
                if "has ended" in chunk.reason:
                    await source.close()
        await sending
        return held, found

    held, found = asyncio.run(run())
    assert held < 100
    assert np.array_equal(audio(found), np.repeat(np.arange(200, dtype=np.float32), 8_000) / 32_768)

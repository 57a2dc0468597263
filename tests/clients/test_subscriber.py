"""The client library works with a real publisher."""

import asyncio
from pathlib import Path

import msgspec
import pytest
import zmq
import zmq.asyncio

from asrd.clients import AsyncSubscriber, Hole, Style, Subscriber
from asrd.clients import subscriber as subscriber_module
from asrd.clients.captions import srt_cue, vtt_cue
from asrd.clients.sequence import Sequence, beginning
from asrd.core import events
from asrd.core.errors import AsrdError, TransportError, UsageError
from asrd.core.events import (
    AnyEvent,
    Error,
    Final,
    Gap,
    Heartbeat,
    Started,
    Stopped,
    Timestamps,
    WireWord,
    decode,
    encode,
)
from asrd.daemon.server.publisher import Publisher

STAGES = Timestamps(heard=1.0, cut=2.0, started=3.0, recognized=4.0)
WORDS = (WireWord("HI", 10, 20, 0.5),)
EXAMPLES: list[AnyEvent] = [
    Started(utterance=1, start=5),
    events.Partial(utterance=1, start=5, end=9, text="HI", stable=1, words=WORDS, backend="int8", stages=STAGES),
    Final(
        utterance=1,
        start=5,
        end=9,
        speech_end=8,
        text="HI",
        words=WORDS,
        confidence=0.5,
        backend="int8",
        reason="silence",
        stages=STAGES,
        display="Hi.",
    ),
    Gap(start=1, end=2, reason="overflow"),
    events.Paused(position=3),
    events.Ended(position=4),
    events.Behind(seconds=1.5, slowest="a", measures=("partials",)),
    events.Resumed(position=4),
    events.Settings(position=1, values={"hangover": 9600}),
    events.Backend(name="int8", previous="", model="tiny", arithmetic="int8+f32"),
    events.Status(
        version="1",
        pid=1,
        backend="int8",
        arithmetic="int8+f32",
        model="/m",
        uptime=1.0,
        audio_seconds=1.0,
        inference_seconds=0.1,
        peak_memory=1,
        style=Style(numbers=True, spellings=("New York",), language="en"),
        streams={
            "a": events.StreamStatus(source="mic", position=1, waiting=0, utterances=0, lost=0, skipped=0, open=True)
        },
    ),
    Heartbeat(uptime=1.0),
    Stopped(reason="SIGTERM"),
    Error(message="no"),
]


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_every_event_survives_the_wire(event: AnyEvent) -> None:
    wire = encode(event)
    assert decode(wire) == event
    assert events.topic(event) == b"asrd.daemon." + msgspec.json.decode(wire)["type"].encode()


def test_every_type_of_event_has_an_example() -> None:
    assert {type(event) for event in EXAMPLES} == set(AnyEvent.__args__)


def test_events_of_a_newer_daemon_are_read_as_far_as_they_are_known() -> None:
    wire = msgspec.json.decode(encode(Heartbeat(uptime=1.0))) | {"mood": "good"}
    assert decode(msgspec.json.encode(wire)) == Heartbeat(uptime=1.0)
    with pytest.raises(AsrdError, match="is the daemon newer"):
        decode(b'{"type":"mood"}')


def test_a_hole_is_told_and_a_restart_is_none(tmp_path: Path) -> None:
    """Nobody answers requests there, so that nothing can be fetched. What comes twice is passed on once."""
    at = [("a", 7), ("a", 8), ("a", 12), ("a", 12), ("b", 0), ("b", 1), ("b", 3), ("c", 9), ("c", 10)]
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.bind(f"ipc://{tmp_path}/e")
        with Subscriber(f"ipc://{tmp_path}/e", once=True) as subscriber:
            socket.recv()
            for beat in [Heartbeat(uptime=0.0, daemon=daemon, seq=seq) for daemon, seq in at]:
                socket.send_multipart([events.topic(beat), encode(beat)])
            stopped = Stopped(reason="done", daemon="c", seq=11)
            socket.send_multipart([events.topic(stopped), encode(stopped)])
            seen = list(subscriber)
    assert [item for item in seen if isinstance(item, Hole)] == [Hole("a", 9, 11), Hole("b", 2, 2)]
    assert [(item.daemon, item.seq) for item in seen if isinstance(item, Heartbeat)] == at[:3] + at[4:]


def test_a_greeting_tells_of_all_that_was_published_before_it() -> None:
    sequence, missing = Sequence(), []
    greeting = next(event for event in EXAMPLES if isinstance(event, events.Status))
    for greets, seq in [(True, 7), (False, 8), (True, 8), (False, 9), (True, 12), (False, 13), (False, 15)]:
        event = msgspec.structs.replace(greeting, greeting=greets, daemon="a", seq=seq)
        missing.append([*range(sequence.due(event), beginning(event))])
        sequence.take(event)
    assert missing == [[], [], [], [], [10, 11, 12], [], [14]]


def test_a_slow_subscriber_learns_exactly_what_it_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads while more is published than all buffers hold."""
    monkeypatch.setattr(subscriber_module, "HIGH_WATER_MARK", 10)
    address, total = f"ipc://{tmp_path}/e", 3_000
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.set(zmq.SNDHWM, 10)
        socket.bind(address)

        def publish(event: AnyEvent, seq: int) -> None:
            numbered = msgspec.structs.replace(event, daemon="d", seq=seq)
            socket.send_multipart([events.topic(numbered), encode(numbered)])

        with Subscriber(address, once=True, timeout=5, max_wait=0.2) as subscriber:
            socket.recv()  # it has joined
            for seq in range(total):
                publish(Error(message="x" * 2_000, stream="a" if seq % 2 else "b"), seq)
            seen: list[AnyEvent | Hole] = []
            with pytest.raises(TransportError, match="stopped responding"):
                seen.extend(subscriber)
            publish(Stopped(reason="done"), total)
            seen.extend(subscriber)
    arrived = [item.seq for item in seen if not isinstance(item, Hole)]
    missed = [seq for hole in seen if isinstance(hole, Hole) for seq in range(hole.first, hole.last + 1)]
    assert missed
    assert sorted(arrived + missed) == list(range(total + 1))
    assert seen[-1] == msgspec.structs.replace(Stopped(reason="done"), daemon="d", seq=total)


def test_streams_are_chosen_without_seeing_holes_where_others_were(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/e"

    async def scenario() -> list[AnyEvent | Hole]:
        context = zmq.asyncio.Context()
        publisher = Publisher(context, [address])
        async with AsyncSubscriber(address, once=True, streams=["a"]) as subscriber:
            await publisher.joined()
            for stream in "abba":
                await publisher.publish(Error(message=stream), stream)
            await publisher.publish(Stopped(reason="done"))
            seen = [item async for item in subscriber]
        publisher.close()
        context.destroy()
        return seen

    seen = asyncio.run(scenario())
    assert [getattr(item, "message", "stopped") for item in seen] == ["a", "a", "stopped"]


def test_no_daemon_and_not_an_address_are_told_apart(tmp_path: Path) -> None:
    with (
        Subscriber(f"ipc://{tmp_path}/none", once=True, timeout=0.1) as subscriber,
        pytest.raises(TransportError, match="start one"),
    ):
        next(iter(subscriber))
    with pytest.raises(UsageError, match="is not an address"):
        Subscriber("nonsense")


@pytest.mark.parametrize("address", ["ipc://{path}/events", "tcp://127.0.0.1:*", "ipc://@{path}"])
def test_a_daemon_that_has_yet_to_speak_is_told_from_none(tmp_path: Path, address: str) -> None:
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.bind(address.format(path=tmp_path))
        with (
            Subscriber(socket.get_string(zmq.LAST_ENDPOINT), timeout=0.1) as subscriber,
            pytest.raises(TransportError, match="does not answer; if it is just starting"),
        ):
            next(iter(subscriber))


def test_a_daemon_that_falls_silent_is_noticed(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/e"
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.bind(address)
        with Subscriber(address, once=True, timeout=5, max_wait=0.1) as subscriber:
            socket.recv()
            beat = Heartbeat(uptime=0.0, daemon="d")
            socket.send_multipart([events.topic(beat), encode(beat)])
            items = iter(subscriber)
            assert next(items) == beat
            with pytest.raises(TransportError, match="has stopped responding"):
                next(items)


def test_cues_have_the_times_of_their_format() -> None:
    an_hour = 16_000 * 3661 + 4_000
    assert srt_cue(3, 0, an_hour, "A & B") == "3\n00:00:00,000 --> 01:01:01,250\nA & B\n"
    assert vtt_cue(an_hour, an_hour + 16, "A <B> & C").splitlines() == [
        "01:01:01.250 --> 01:01:01.251",
        "A &lt;B&gt; &amp; C",
    ]

"""Peers may send anything to the socket that events come from."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import zmq
import zmq.asyncio

from asrd.core.events import Error, Heartbeat, decode
from asrd.daemon.server.audience import MAX_SUBSCRIPTION, SUBSCRIPTIONS, TURN
from asrd.daemon.server.publisher import Publisher


@asynccontextmanager
async def publishing(folder: Path) -> AsyncIterator[tuple[Publisher, zmq.asyncio.Context, str]]:
    """A publisher on a Unix socket, a context of its peers, and its address."""
    own, peers, address = zmq.asyncio.Context(), zmq.asyncio.Context(), f"ipc://{folder}/e"
    publisher = Publisher(own, [address])
    try:
        yield publisher, peers, address
    finally:
        publisher.close()
        own.destroy(linger=0)
        peers.destroy(linger=0)


async def greet(publisher: Publisher) -> None:
    while True:
        await publisher.joined(lambda: Heartbeat(uptime=1.0))


def subscriber(peers: zmq.asyncio.Context, address: str, *topics: bytes) -> zmq.asyncio.Socket:
    socket = peers.socket(zmq.SUB)
    for topic in topics:
        socket.subscribe(topic)
    socket.connect(address)
    return socket


async def next_event(socket: zmq.asyncio.Socket) -> object:
    return decode((await asyncio.wait_for(socket.recv_multipart(), 5))[1])


def test_peers_that_send_much_leave_others_their_turn(tmp_path: Path) -> None:
    """Only some subscriptions are read per turn of the loop."""

    async def scenario() -> None:
        async with publishing(tmp_path) as (publisher, peers, address):
            turns, sent, topics = 0, 10, [f"asrd.{number}.".encode() for number in range(SUBSCRIPTIONS)]
            crowd = [subscriber(peers, address, *topics) for _ in range(sent)]
            serving = asyncio.create_task(greet(publisher))
            while sum(guest.subscriptions for door in publisher.doors for guest in door.guests.values()) < (
                sent * SUBSCRIPTIONS
            ):
                turns += 1
                await asyncio.sleep(0)
            serving.cancel()
            assert len(crowd) == sent
            assert turns >= sent * SUBSCRIPTIONS / TURN

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_newcomer_alone_is_greeted(tmp_path: Path) -> None:
    """Its greeting has the number of the event before; others see no hole, and neither does the newcomer. Each of
    its subscriptions to greetings brings one: a descriptor does not tell a newcomer from who had it before.
    """

    async def scenario() -> None:
        async with publishing(tmp_path) as (publisher, peers, address):
            serving = asyncio.create_task(greet(publisher))
            first = subscriber(peers, address, b"asrd.")
            assert await next_event(first)
            await publisher.publish(Error(message="one"))
            second = subscriber(peers, address, b"asrd.")
            greeting = await next_event(second)
            assert isinstance(greeting, Heartbeat)
            assert greeting.seq == 0
            await asyncio.sleep(0.1)
            for topic in (b"", b"asrd.daemon.", b"asrd.daemon.h"):
                second.subscribe(topic)
                await asyncio.sleep(0.1)
            greetings = 0
            while await second.poll(0):
                greetings += isinstance(await next_event(second), Heartbeat)
            assert greetings == 3
            await publisher.publish(Error(message="two"))
            for socket, expected in ((first, ["one", "two"]), (second, ["two"])):
                seen = [await next_event(socket) for _ in expected]
                assert [(event.message, event.seq) for event in seen] == [  # type: ignore[attr-defined]
                    (message, ["one", "two"].index(message)) for message in expected
                ]
                assert not await socket.poll(50)
            serving.cancel()

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_who_does_not_subscribe_to_greetings_gets_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with publishing(tmp_path) as (publisher, peers, address):
            serving = asyncio.create_task(greet(publisher))
            mine, others = subscriber(peers, address, b"asrd.a."), subscriber(peers, address, b"asrd.b.")
            await asyncio.sleep(0.2)
            await publisher.publish(Error(message="hello"), "a")
            assert getattr(await next_event(mine), "message", "") == "hello"
            mine.unsubscribe(b"asrd.a.")
            await asyncio.sleep(0.2)
            await publisher.publish(Error(message="hello"), "a")
            assert not await mine.poll(100)
            assert not await others.poll(0)
            serving.cancel()

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_peer_that_subscribes_to_too_much_is_disconnected(tmp_path: Path) -> None:
    """Others go on, and its library, which connects again, is disconnected again."""

    async def scenario() -> None:
        async with publishing(tmp_path) as (publisher, peers, address):
            serving = asyncio.create_task(greet(publisher))
            honest = subscriber(peers, address, b"asrd.")
            await next_event(honest)
            vandal = peers.socket(zmq.XSUB)
            monitor = vandal.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            vandal.connect(address)
            for number in range(20_000):
                await vandal.send(b"\x01%06d" % number, zmq.NOBLOCK) if await vandal.poll(0, zmq.POLLOUT) else None
            assert await monitor.poll(5_000)
            assert publisher.malformed.count >= 1
            for door in publisher.doors:
                assert all(guest.subscriptions <= SUBSCRIPTIONS for guest in door.guests.values())
            await publisher.publish(Error(message="hello"))
            assert getattr(await next_event(honest), "message", "") == "hello"
            serving.cancel()
            vandal.disable_monitor()
            monitor.close(linger=0)

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_what_is_no_subscription_harms_nobody(tmp_path: Path) -> None:
    """libzmq takes what follows it for another peer's: subscribers that come at the same moment all get events."""

    async def scenario() -> None:
        async with publishing(tmp_path) as (publisher, peers, address):
            vandal = peers.socket(zmq.XSUB)
            vandal.connect(address)
            await asyncio.sleep(0.2)
            for _ in range(50):
                await vandal.send_multipart([b"\x07hello", b"boom"])
            honest = [subscriber(peers, address, b"asrd.") for _ in range(20)]
            await asyncio.sleep(0.3)  # all of that waits to be read
            serving = asyncio.create_task(greet(publisher))
            for socket in honest:
                await next_event(socket)
            assert publisher.malformed.count >= 1
            await publisher.publish(Error(message="hello"))
            for socket in honest:
                while not isinstance(await next_event(socket), Error):
                    pass
            serving.cancel()

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_peer_that_sends_what_cannot_be_a_subscription_is_disconnected(tmp_path: Path) -> None:
    context = zmq.asyncio.Context()
    publisher = Publisher(context, [f"ipc://{tmp_path}/e"])
    with zmq.Context() as another, another.socket(zmq.XSUB) as vandal:
        vandal.set(zmq.LINGER, 0)
        with vandal.get_monitor_socket(zmq.EVENT_DISCONNECTED) as monitor:
            vandal.connect(f"ipc://{tmp_path}/e")
            vandal.send(b"\x01" + b"x" * MAX_SUBSCRIPTION)
            disconnected = monitor.poll(5000)
            vandal.disable_monitor()
    publisher.close()
    context.destroy(linger=0)
    assert disconnected

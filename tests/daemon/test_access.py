"""Only clients with the right key may connect; tested with real sockets."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import zmq
import zmq.asyncio

from asrd.clients import AsyncSubscriber, Control
from asrd.clients.sender import Sender
from asrd.core.control import AnyRequest, GetSettings
from asrd.core.errors import TransportError, UsageError
from asrd.core.events import Heartbeat
from asrd.core.key import Key, create
from asrd.daemon.server.control import Controller
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.sources.network import NetworkSource
from asrd.daemon.transport.access import Access


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """The daemon's key."""
    return create(tmp_path / "key")


@pytest.fixture
def strangers(tmp_path: Path) -> dict[str, Path]:
    """Other keys, by the error that their owners get."""
    return {"does not take the key": create(tmp_path / "other").path, "requires a key": Path("none")}


@pytest.fixture
def address() -> str:
    """A free TCP port."""
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{unused.getsockname()[1]}"


@asynccontextmanager
async def guarded(access: Access) -> AsyncIterator[zmq.asyncio.Context]:
    """The context of a daemon, with the authenticator that guards it."""
    context = zmq.asyncio.Context()
    guard = access.guard(context)
    try:
        yield context
    finally:
        guard.close()
        context.destroy(linger=0)


async def greet(publisher: Publisher) -> None:
    """Publish something whenever someone subscribes."""
    while True:
        await publisher.joined()
        await publisher.publish(Heartbeat(uptime=1.0))


async def first(address: str, key: Path) -> object:
    """Return the first event that is published there."""
    async with AsyncSubscriber(address, once=True, timeout=1, key=key) as subscriber:
        async for event in subscriber:
            return event
    return None


async def told(ask: Callable[[Path], object], strangers: dict[str, Path]) -> None:
    """Check that a client with another key or none is told what is wrong."""
    for complaint, path in strangers.items():
        with pytest.raises(TransportError, match=complaint):
            await asyncio.to_thread(ask, path)


def test_events_are_for_those_who_have_the_key(tmp_path: Path, key: Key, strangers: dict[str, Path]) -> None:
    """Over a Unix socket, they are also for those who may open it; the order in which the two are bound does not
    matter.
    """

    async def scenario() -> None:
        access = Access(key)
        async with guarded(access) as context:
            places = [f"ipc://{tmp_path}/before", "tcp://127.0.0.1:*", f"ipc://{tmp_path}/after"]
            publisher = Publisher(context, places, access)
            before, tcp, after = publisher.addresses
            greeting = asyncio.create_task(greet(publisher))
            for address in (before, tcp, after):
                assert isinstance(await first(address, key.path), Heartbeat)
            for complaint, path in strangers.items():
                with pytest.raises(TransportError, match=complaint):
                    await first(tcp, path)
                assert isinstance(await first(before, path), Heartbeat)
                assert isinstance(await first(after, path), Heartbeat)
            greeting.cancel()
            publisher.close()

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_requests_are_answered_to_those_who_have_the_key(key: Key, strangers: dict[str, Path], address: str) -> None:
    asked: list[AnyRequest] = []

    async def answer(request: AnyRequest) -> object:
        asked.append(request)
        return {}

    async def scenario() -> None:
        access = Access(key)
        async with guarded(access) as context:
            controller = Controller(context, address, access)
            running = asyncio.create_task(controller.run(answer))
            await told(lambda path: Control(address, key=path).settings(), strangers)
            assert not asked
            assert await asyncio.to_thread(Control(address, key=key.path).settings) == {}
            assert asked == [GetSettings("")]
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await controller.close(1.0)

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_only_those_who_have_the_key_are_heard(key: Key, strangers: dict[str, Path], address: str) -> None:
    def send(path: Path) -> None:
        with Sender(address, timeout=0.5, key=path) as sender:
            sender.send(np.full(1600, 0.5 if path == key.path else 1.0, np.float32))

    async def scenario() -> None:
        source = NetworkSource("call", address, Access(key))
        await source.open()
        await told(send, strangers)
        sending = asyncio.create_task(asyncio.to_thread(send, key.path))
        async for chunk in source.chunks():
            if len(chunk.pcm):
                np.testing.assert_allclose(chunk.pcm, 0.5, atol=1e-3)
                break
        await sending
        await source.close()

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_whoever_knows_the_public_half_alone_is_kept_out(key: Key) -> None:
    async def scenario() -> None:
        access = Access(key)
        async with guarded(access) as context:
            publisher = Publisher(context, ["tcp://127.0.0.1:*"], access)
            with context.socket(zmq.SUB) as socket:
                socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
                socket.curve_serverkey = key.public.encode()
                monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_SUCCEEDED)
                socket.connect(publisher.addresses[0])
                told, _ = await monitor.recv_multipart()
                assert int.from_bytes(told[:2], "little") == zmq.EVENT_HANDSHAKE_FAILED_AUTH
                socket.disable_monitor()
                monitor.close(linger=0)
            publisher.close()

    asyncio.run(asyncio.wait_for(scenario(), 20))


@pytest.mark.parametrize("exposed", ["tcp://0.0.0.0:7007", "tcp://*:7007", "tcp://192.0.2.1:7007"])
def test_without_a_key_nothing_is_open_to_the_network(key: Key, exposed: str) -> None:
    with pytest.raises(UsageError, match="would be open to everyone on the network; make a key"):
        Access().check(exposed)
    with pytest.raises(UsageError, match="'asrd key new', or let all in with --insecure"):
        NetworkSource("call", exposed)
    Access(key).check(exposed)
    Access(insecure=True).check(exposed)
    Access().check("tcp://127.0.0.1:7007")

"""The daemon asks the kernel for keepalives on the connections it accepts."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq
import zmq.asyncio

from asrd.daemon.server.control import Controller
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.sources.network import NetworkSource
from asrd.daemon.transport.access import LOCAL
from asrd.daemon.transport.sockets import KEEPALIVE

ANY_PORT = "tcp://127.0.0.1:*"
DESCRIPTORS = Path("/proc/self/fd")


def keepalives(port: int) -> Iterator[tuple[int, int]]:
    """Yield, for each connection accepted by this process on a port, whether keepalives are on, and the seconds until
    one.
    """
    for descriptor in filter(Path.is_socket, DESCRIPTORS.iterdir()):
        with socket.socket(fileno=os.dup(int(descriptor.name))) as found:
            listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if found.family == socket.AF_INET and found.getsockname()[1] == port and not listens:
                asks = found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                yield asks, found.getsockopt(socket.SOL_TCP, socket.TCP_KEEPIDLE)


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="not Linux")
def test_a_peer_that_vanished_without_a_word_is_noticed() -> None:
    async def scenario() -> None:
        context = zmq.asyncio.Context()
        guard = LOCAL.guard(context)
        publisher, controller = Publisher(context, [ANY_PORT]), Controller(context, ANY_PORT)
        source = NetworkSource("net", ANY_PORT)
        await source.open()
        assert not source.inlet.closed
        for bound, kind in (
            (publisher._socket, zmq.SUB),
            (controller._socket, zmq.DEALER),
            (source.inlet._socket, zmq.PUSH),
        ):
            with context.socket(kind) as peer, peer.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED) as monitor:
                peer.connect(bound.last_endpoint)
                assert await monitor.poll(10_000)
                assert [*keepalives(int(bound.last_endpoint.rpartition(b":")[2]))] == [(1, KEEPALIVE)]
                peer.disable_monitor()
        await source.close()
        await controller.close(1.0)
        publisher.close()
        guard.close()
        context.destroy(linger=0)

    asyncio.run(scenario())

"""Peers may send anything to the socket that events come from."""

import asyncio
from pathlib import Path

import zmq
import zmq.asyncio

from asrd.daemon.server.publisher import MAX_SUBSCRIPTION, Publisher


def test_peers_that_send_much_leave_others_their_turn(tmp_path: Path) -> None:
    """Only one unsolicited message is read per turn of the loop."""

    async def scenario() -> None:
        context, sent, turns = zmq.asyncio.Context(), 100, 0
        publisher = Publisher(context, [f"ipc://{tmp_path}/e"])
        joined = asyncio.create_task(publisher.joined())
        with zmq.Context() as another, another.socket(zmq.XSUB) as vandal:
            vandal.connect(f"ipc://{tmp_path}/e")
            for _ in range(sent):
                vandal.send(b"\x07hello")
            vandal.send(b"\x01")  # a subscription, which comes after them
            while not joined.done():
                turns += 1
                await asyncio.sleep(0)
        publisher.close()
        context.destroy(linger=0)
        assert turns > sent

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

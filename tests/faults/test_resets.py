"""Networks that reset connections at any moment."""

import contextlib
import random
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asrd.clients import Hole, Subscriber
from asrd.core.events import AnyEvent, Final, Gap

from .conftest import SOAK, Count, Victim, unended, unused_port
from .speech import playing, sentences

SENTENCES = 100 if SOAK else 1


class Network:
    """A TCP proxy whose connections can be reset."""

    def __init__(self, port: int) -> None:
        """port: of this machine, where it leads to."""
        self._to, self._open = port, set[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", unused_port()))
        self.address = "tcp://127.0.0.1:{1}".format(*self._listener.getsockname())
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                self._open |= {here, there}
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data)
        for one in (source, target):
            self._reset(one)

    def _reset(self, one: socket.socket) -> None:
        self._open.discard(one)
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.shutdown(socket.SHUT_RD)  # wakes its thread, which closes it
            one.close()

    def cut(self) -> None:
        """Reset all connections; what is on its way is lost."""
        for one in list(self._open):
            self._reset(one)

    def close(self) -> None:
        """Accept no more, and reset what is there."""
        self._listener.close()
        self.cut()


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    one = Victim(tmp_path)
    yield one
    one.end()


def resets(network: Network, sending: threading.Thread) -> int:
    """Reset all connections now and then until all was sent. Return how often."""
    chance, done = random.Random(0), 0
    while sending.is_alive():
        sending.join(chance.uniform(0.05, 0.5))
        network.cut()
        done += 1
    return done


@pytest.mark.slow
def test_a_subscriber_gets_every_final_once(victim: Victim, count: Count) -> None:
    network, seen, came = Network(victim.ports["events"]), list[AnyEvent | Hole](), threading.Semaphore(0)
    witness = Subscriber(network.address, once=True, control=victim.control.address)

    def watch() -> None:
        with witness as events:
            for event in events:
                seen.append(event)
                came.release()

    watching = threading.Thread(target=watch)
    watching.start()
    with playing(f"ipc://{victim.paths['audio']}", sentences(SENTENCES)) as sending:
        done = resets(network, sending)
    while came.acquire(blocking=False):
        pass
    for _ in range(3):  # it is connected again, and hears what comes next
        assert came.acquire(timeout=10)
    victim.process.send_signal(signal.SIGTERM)
    assert victim.process.wait(10) == 0
    watching.join(30)
    network.close()
    finals = [event.seq for event in victim.published() if isinstance(event, Final)]
    assert [event.seq for event in seen if isinstance(event, Final)] == finals
    assert not [event for event in seen if isinstance(event, Hole)]
    assert len(finals) >= SENTENCES
    count(resets=done, finals=len(finals), missed=0, twice=0)


@pytest.mark.slow
def test_of_a_sender_all_is_heard_or_named(victim: Victim, count: Count) -> None:
    network, audio = Network(victim.ports["audio"]), sentences(SENTENCES)
    with playing(network.address, audio) as sending:
        done = resets(network, sending)
    while (stream := victim.control.status().streams["tcp"]).position < len(audio):
        time.sleep(0.05)
    network.close()
    victim.process.send_signal(signal.SIGTERM)
    assert victim.process.wait(10) == 0
    published = victim.published()
    gaps = sum(event.end - event.start for event in published if isinstance(event, Gap))
    assert (stream.position, stream.lost) == (len(audio), gaps)
    assert unended(published) == (0, 0)
    count(resets=done, samples_sent=len(audio), samples_in_gaps=gaps, samples_lost_in_silence=0)

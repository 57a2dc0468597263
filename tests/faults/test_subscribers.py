"""Subscribers that are killed, or stopped and read no more, take nothing from the others."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from asrd.clients import Hole, Subscriber
from asrd.core.events import AnyEvent, Final, Stopped

from .conftest import SOAK, Count, Victim, unended
from .speech import playing, sentences

PEERS, WAVE = (1000, 20) if SOAK else (12, 6)

PEER = """
import sys, zmq
with zmq.Context() as context, context.socket(zmq.SUB) as socket:
    socket.subscribe(b"asrd.")
    socket.connect(sys.argv[1])
    while True:
        socket.recv_multipart()
        print("heard", flush=True)
"""


def wave(address: str, chance: random.Random) -> list[subprocess.Popen[bytes]]:
    """Subscribe several times; then kill each, or stop it so that it reads no more. Return those that were stopped."""
    peers = [
        subprocess.Popen([sys.executable, "-S", "-c", PATHS + PEER, address], stdout=subprocess.PIPE)
        for _ in range(WAVE)
    ]
    stopped = []
    for peer in peers:
        assert peer.stdout
        assert peer.stdout.readline()
    for peer in peers:
        if chance.random() < 0.5:
            peer.send_signal(signal.SIGSTOP)
            stopped.append(peer)
        else:
            end(peer)
    return stopped


def end(peer: subprocess.Popen[bytes]) -> None:
    peer.kill()
    peer.communicate()


PATHS = f"import sys; sys.path[:] = {sys.path!r}\n"


@pytest.mark.slow
def test_those_that_die_take_nothing_from_the_others(tmp_path: Path, count: Count) -> None:
    victim, chance = Victim(tmp_path), random.Random(0)
    address = f"ipc://{victim.paths['events']}"
    seen: list[AnyEvent | Hole] = []
    stopped: list[subprocess.Popen[bytes]] = []
    witness = Subscriber(address, once=True)

    def watch() -> None:
        with witness as events:
            seen.extend(events)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        for _ in range(PEERS // WAVE):
            with playing(f"ipc://{victim.paths['audio']}", sentences(2), speed=4):
                stopped += wave(address, chance)
            while len(stopped) > 3 * WAVE:
                end(stopped.pop(0))
        victim.process.send_signal(signal.SIGTERM)
        assert victim.process.wait(10) == 0
        watching.join(10)
    finally:
        for peer in stopped:
            end(peer)
        victim.end()
    published = victim.published()
    finals = [event for event in published if isinstance(event, Final)]
    heard = [event for event in seen if isinstance(event, Final)]
    assert [event.seq for event in heard] == [event.seq for event in finals]
    assert not [event for event in seen if isinstance(event, Hole)]
    assert isinstance(seen[-1], Stopped)
    assert unended(published) == (0, 0)
    assert len(finals) >= 2 * PEERS // WAVE
    count(subscribers_ended=PEERS, finals=len(finals), missed=0, twice=0)

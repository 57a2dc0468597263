"""Requests fail cleanly where no daemon answers, or one of another version."""

import socket as sockets
import time
from pathlib import Path
from threading import Thread

import pytest
import zmq

from asrd.clients import Control
from asrd.core.errors import TransportError


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400", b"\xff\xfe", b"[]", b'{"result": {"pid": "many"}}', b"{}"])
def test_an_answer_that_cannot_be_read_is_one_line(tmp_path: Path, answer: bytes) -> None:
    address = f"ipc://{tmp_path}/c"
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(address)

        def serve() -> None:
            if socket.poll(5000):
                socket.recv()
                socket.send(answer)

        thread = Thread(target=serve)
        thread.start()
        with pytest.raises(TransportError, match="no asrd of this version") as caught:
            Control(address).status()
        thread.join()
    assert "\n" not in str(caught.value)


def test_that_nobody_is_there_shows_at_once(tmp_path: Path) -> None:
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    began = time.monotonic()
    for address in (f"ipc://{tmp_path}/c", f"tcp://127.0.0.1:{port}"):
        with pytest.raises(TransportError, match=f"no daemon answers at {address}; start one"):
            Control(address, timeout=60).status()
    assert time.monotonic() - began < 10


def test_one_that_is_there_and_silent_is_told_from_none(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/c"
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(address)
        with pytest.raises(TransportError, match="does not answer; if it is just starting, ask again"):
            Control(address, timeout=0.3).status()
        socket.close(linger=0)


def test_a_daemon_that_ends_while_it_is_asked_is_not_waited_for(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/c"
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(address)

        def end() -> None:
            socket.poll(5000)
            socket.close(linger=0)

        thread = Thread(target=end)
        thread.start()
        with pytest.raises(TransportError, match="no daemon answers"):
            Control(address, timeout=60).status()
        thread.join()

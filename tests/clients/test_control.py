"""Requests to something that is no daemon, or one of another version."""

from pathlib import Path
from threading import Thread

import pytest
import zmq

from asrd.clients import Control
from asrd.core.errors import TransportError


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400", b"\xff\xfe", b"[]", b'{"result": {"pid": "many"}}', b"{}"])
def test_an_answer_that_cannot_be_read_is_one_line(tmp_path: Path, answer: bytes) -> None:
    endpoint = f"ipc://{tmp_path}/c"
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(endpoint)

        def serve() -> None:
            if socket.poll(5000):
                socket.recv()
                socket.send(answer)

        thread = Thread(target=serve)
        thread.start()
        with pytest.raises(TransportError, match="no asrd of this version") as caught:
            Control(endpoint).status()
        thread.join()
    assert "\n" not in str(caught.value)

"""What a page in a browser can send to ports of this machine is refused: a browser does not speak ZMTP/3."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from asrd.clients.sender import Sender
from asrd.core.control import Stop
from asrd.core.pcm import PcmHeader

from .conftest import Victim

POST = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 2000\r\n\r\n"
"""libzmq takes the first byte for the length of a peer's name: the body can hold frames of ZMTP/1.0."""


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    daemon = Victim(tmp_path_factory.mktemp("daemon"), control="tcp")
    yield daemon
    daemon.end()


def frame(data: bytes, *, more: bool = False) -> bytes:
    """A frame of ZMTP/1.0."""
    length = len(data) + 1
    return (bytes([length]) if length < 255 else b"\xff" + length.to_bytes(8)) + bytes([more]) + data


def request(*frames: bytes) -> bytes:
    """An HTTP request whose body is a message, once what precedes it has been read as a peer's name, and frames."""
    head = POST[: ord("P")]
    return head + b"x" * (ord("P") - len(head)) + b"".join(frames)


def audio() -> tuple[bytes, bytes]:
    header = PcmHeader(session="page", rate=16_000, channels=1, format="s16le", position=0, captured=0.0)
    return msgspec.json.encode(header), (np.sin(np.arange(16_000)) * 8000).astype("<i2").tobytes()


def refused(victim: Victim, name: str, data: bytes) -> None:
    """Check that a connection is ended by the daemon, without an answer besides its greeting."""
    with victim.connect(name) as page:
        page.settimeout(10)
        page.sendall(data)
        heard = b""
        try:
            while more := page.recv(1000):
                heard += more
        except ConnectionResetError:
            pass
    assert len(heard) <= 64


@pytest.mark.parametrize("begins", ["http", "zmtp1", "zmtp2"])
@pytest.mark.parametrize("name", ["tcp control", "tcp events", "tcp audio"])
def test_only_zmtp_3_is_spoken(victim: Victim, name: str, begins: str) -> None:
    stop, (header, samples) = msgspec.json.encode(Stop()), audio()
    frames = [frame(b"", more=True), frame(stop)] if "control" in name else [frame(header, more=True), frame(samples)]
    greeting = {"http": request(), "zmtp1": b"\x01\x00", "zmtp2": b"\xff" + bytes(8) + b"\x7f\x01\x03\x00\x00"}[begins]
    refused(victim, name, greeting + b"".join(frames))
    assert victim.process.poll() is None
    streams = victim.control.status().streams
    assert streams["tcp"].position == 0


def test_senders_of_zmtp_3_are_heard(victim: Victim) -> None:
    with Sender(f"tcp://127.0.0.1:{victim.ports['audio']}", key=Path("none")) as sender:
        sender.send(np.zeros(16_000, np.float32))
    while victim.control.status().streams["tcp"].position < 16_000:
        assert victim.process.poll() is None

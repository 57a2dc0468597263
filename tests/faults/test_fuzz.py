"""Nothing that is sent to a socket ends the daemon, logs a traceback, or fills the log."""

import time
from collections.abc import Iterator
from contextlib import suppress

import msgspec
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asrd.core.control import ListWords
from asrd.core.pcm import PcmHeader

from .conftest import SOAK, Victim

HEADER = PcmHeader(session="x\nasrd: forged", rate=16_000, channels=1, format="s16le", position=0, captured=0.0)
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda one: st.lists(one) | st.dictionaries(st.text(max_size=5), one),
)
REQUESTS = st.fixed_dictionaries(
    {"op": st.sampled_from(["status", "words add", "replay", "settings set", "words learn"])},
    optional=dict.fromkeys(("first", "last", "values", "boosts", "words", "stream"), JSON),
)
PAYLOADS = st.one_of(
    st.binary(max_size=300),
    st.integers(1, 50_000).map(lambda depth: b"[" * depth),
    st.integers(1, 10_000).map(lambda depth: b'{"op":' * depth),
    (JSON | REQUESTS).map(msgspec.json.encode),
    st.integers(0, 120).map(lambda cut: msgspec.json.encode(HEADER)[:cut]),
)
MESSAGES = st.lists(PAYLOADS, min_size=1, max_size=3)
EXAMPLES = 3_000 if SOAK else 150
PLACES = ("unix control", "unix events", "unix audio", "tcp events", "tcp audio", "tcp metrics")
KINDS = {"control": zmq.DEALER, "events": zmq.XSUB, "audio": zmq.PUSH}


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    daemon = Victim(tmp_path_factory.mktemp("daemon"))
    yield daemon
    daemon.end()


def healthy(victim: Victim) -> None:
    """Check that the daemon is alive and answers, and logged little."""
    assert victim.process.poll() is None
    assert victim.control.words(ListWords()) == {}
    lines = victim.log.splitlines()
    assert len(lines) <= 10
    assert not [line for line in lines if not line.startswith("asrd: ") or line.startswith("asrd: forged")]
    assert "Traceback" not in victim.log


@pytest.mark.parametrize("kind", KINDS)
def test_messages_of_any_kind(victim: Victim, kind: str) -> None:
    before = victim.control.status().malformed
    with zmq.Context() as context, context.socket(KINDS[kind]) as peer:
        peer.set(zmq.LINGER, 0)
        peer.set(zmq.SNDTIMEO, 5_000)
        peer.connect(f"ipc://{victim.paths[kind]}")

        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
        @given(MESSAGES)
        def send(parts: list[bytes]) -> None:
            peer.send_multipart(parts)
            while peer.type == zmq.DEALER and peer.poll(0):
                peer.recv_multipart()

        send()
        deadline = time.monotonic() + 10
        while victim.control.status().malformed == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    healthy(victim)


@pytest.mark.parametrize(
    "name", ["unix control", "unix events", "unix audio", "tcp events", "tcp audio", "tcp metrics"]
)
def test_bytes_of_any_kind(victim: Victim, name: str) -> None:
    @settings(max_examples=EXAMPLES // 5, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=300), st.sampled_from([b"", b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)]))
    def send(data: bytes, greeting: bytes) -> None:
        with victim.connect(name) as peer, suppress(OSError):  # it was refused
            peer.sendall(greeting + data)

    send()
    healthy(victim)

"""What is heard is published to a real broker, mosquitto, and nothing is lost while it is away."""

import asyncio
import gc
import json
import logging
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request, urlopen

import aiomqtt
import psutil
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from asrd.cli.main import asrd
from asrd.core.errors import UsageError
from asrd.core.events import Error, Event, Gap, Heartbeat, Started
from asrd.gateway.mqtt import publisher
from asrd.gateway.mqtt.options import Broker, MqttOptions
from asrd.gateway.mqtt.outbox import Message, Outbox
from asrd.gateway.mqtt.publisher import Mqtt

from .conftest import Served, serving

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")

pytestmark = pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
"""paho leaves it to the garbage collector to close connections whose TLS has failed."""

USER, PASSWORD = "asrd", "a secret"

Found = list[tuple[str, bytes]]
"""Topics and payloads, in order."""


class Mosquitto:
    """A broker on this machine, which may go away and come back, and keeps for its one listener what that missed."""

    def __init__(self, directory: Path, *lines: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        passwords, self._config = directory / "passwords", directory / "mosquitto.conf"
        subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, USER, PASSWORD], check=True)
        config = [f"listener {self.port} 127.0.0.1", *lines, "allow_anonymous false", f"password_file {passwords}"]
        config += ["user root", "persistence true", f"persistence_location {directory}/"]
        self._config.write_text("\n".join(config), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO
        self._process = subprocess.Popen([MOSQUITTO, "-c", self._config], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
        raise AssertionError("mosquitto does not start")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    @asynccontextmanager
    async def listener(self, **options) -> AsyncIterator[aiomqtt.Client]:
        place = {"hostname": "127.0.0.1", "port": self.port, "username": USER, "password": PASSWORD}
        async with aiomqtt.Client(**place, identifier="listener", clean_session=False, **options) as client:
            await client.subscribe("#", qos=1)
            yield client


@contextmanager
def broker(directory: Path, *lines: str) -> Iterator[Mosquitto]:
    found = Mosquitto(directory, *lines)
    found.start()
    try:
        yield found
    finally:
        found.stop()


async def collected(client: aiomqtt.Client, enough: Callable[[Found], bool]) -> Found:
    """Return messages until they are enough."""
    found: Found = []
    async with asyncio.timeout(60):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            found.append((str(message.topic), message.payload))
            if enough(found):
                break
    return found


def of(found: Found, kind: str) -> list[dict]:
    """Return the events of a kind."""
    return [json.loads(payload) for topic, payload in found if topic.endswith(f"/{kind}")]


def transcribe(served: Served, path: Path) -> None:
    """Have a file transcribed over HTTP."""
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + path.read_bytes()
    request = Request(f"{served.url}/v1/audio/transcriptions", body + b"\r\n--b--\r\n")
    request.add_header("Content-Type", "multipart/form-data; boundary=b")
    with urlopen(request, timeout=60) as answer:
        assert json.load(answer)["text"]


@needs_mosquitto
async def test_finals_of_a_daemon_reach_a_broker(tmp_path, clips, transcribed):
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    secret.chmod(0o600)
    with broker(tmp_path) as mosquitto:
        url = f"mqtt://{USER}@127.0.0.1:{mosquitto.port}/home/asrd"
        async with mosquitto.listener() as client:
            with serving(tmp_path, "--mqtt", url, "--mqtt-password-file", str(secret), "--mqtt-partials") as served:
                found = await collected(client, lambda found: found[-1] == ("home/asrd/status", b"online"))
                await asyncio.to_thread(transcribe, served, clips[1])
                found += await collected(client, lambda found: len(of(found, "final")) == 1)
                assert PASSWORD not in " ".join(psutil.Process(served.process.pid).cmdline() + served.log)
                served.control.stop()
                found += await collected(client, lambda found: found[-1] == ("home/asrd/status", b"offline"))
    [final] = of(found, "final")
    assert final["text"] == json.loads(transcribed(clips[1], "json"))["text"]
    assert {partial["stream"] for partial in of(found, "partial")} == {final["stream"]}
    assert f"home/asrd/{final['stream']}/final" in dict(found)


class Desk:
    """A daemon, as far as it is published. told: its complaints."""

    def __init__(self) -> None:
        self.farewells: list[Callable] = []
        self.publisher = SimpleNamespace(listeners=set())
        self.reporter = SimpleNamespace(complain=self._complain)
        self.told: list[str] = []
        self._seq = 0

    async def _complain(self, message: str) -> None:
        self.told.append(message)
        self.say(Error(message=message))

    def say(self, *events: Event) -> None:
        for event in events:
            for listener in self.publisher.listeners:
                listener(event)

    def gaps(self, count: int) -> None:
        for _ in range(count):
            self._seq += 1
            self.say(Gap(stream="desk", seq=self._seq, start=0, end=1, reason="test"))


@asynccontextmanager
async def publishing(options: MqttOptions) -> AsyncIterator[Desk]:
    desk = Desk()
    Mqtt(options).attend(SimpleNamespace(daemon=desk))
    try:
        yield desk
    finally:
        [end] = desk.farewells
        began = time.monotonic()
        await end(2.0)
        assert time.monotonic() - began < 2.5


@pytest.fixture
def said() -> Iterator[Callable]:
    """A coroutine that waits until the publisher logs a text, and returns the line."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    handler, logger = logging.Handler(), logging.getLogger(publisher.__name__)
    handler.emit = lambda record: lines.put_nowait(record.getMessage())

    async def wait(text: str) -> str:
        async with asyncio.timeout(20):
            while text not in (line := await lines.get()):
                pass
        return line

    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield wait
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "FIRST", 0.05)


def to(mosquitto: Mosquitto, password: str = PASSWORD) -> MqttOptions:
    return MqttOptions(Broker("127.0.0.1", mosquitto.port, user=USER, password=password))


def numbers(found: Found) -> list[int]:
    return [gap["seq"] for gap in of(found, "gap")]


@needs_mosquitto
async def test_nothing_is_lost_while_the_broker_is_away(tmp_path, said):
    with broker(tmp_path) as mosquitto:
        async with mosquitto.listener() as client, publishing(to(mosquitto)) as desk:
            await said("publishing to")
            desk.gaps(2)
            desk.say(Started(stream="desk", utterance=1, start=0), Heartbeat(uptime=1.0))
            found = await collected(client, lambda found: numbers(found) == [1, 2])
            mosquitto.stop()
            await said("is not told")
            desk.gaps(3)
            mosquitto.start()
            await said("publishing to")
            desk.gaps(1)
        async with mosquitto.listener() as client:
            found += await collected(client, lambda found: 6 in numbers(found))
        assert [*dict.fromkeys(numbers(found))] == [1, 2, 3, 4, 5, 6]  # once or more, and in order
        assert not of(found, "started")
        assert not of(found, "heartbeat")
        assert desk.told == []


@needs_mosquitto
async def test_more_than_can_wait_is_told(tmp_path, monkeypatch, said):
    monkeypatch.setattr(publisher, "Outbox", partial(Outbox, 3))
    with broker(tmp_path) as mosquitto:
        async with mosquitto.listener():
            pass
        mosquitto.stop()
        async with publishing(to(mosquitto)) as desk:
            await said("is not told")
            desk.gaps(5)
            mosquitto.start()
            async with mosquitto.listener() as client:
                found = await collected(client, lambda found: bool(of(found, "error")))
        assert numbers(found) == [3, 4, 5]
        [told] = desk.told
        assert told.startswith("2 events for mqtt://asrd@127.0.0.1:")
        assert of(found, "error")[0]["message"] == told


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@needs_mosquitto
async def test_encrypted(tmp_path, signed, said):
    certificate, key = signed
    with broker(tmp_path, f"certfile {certificate}", f"keyfile {key}") as mosquitto:
        found = Broker.parse(f"mqtts://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{mosquitto.port}")
        trusted = ssl.create_default_context(cafile=certificate)
        async with publishing(MqttOptions(found, authority=certificate)) as desk:
            await said("publishing to")
            async with mosquitto.listener(tls_context=trusted) as client:
                desk.gaps(1)
                await collected(client, lambda found: numbers(found) == [1])
        async with publishing(MqttOptions(found)):
            await said("certificate verify failed")


@needs_mosquitto
async def test_a_wrong_password_is_told_once_and_not_shown(tmp_path, said):
    with broker(tmp_path) as mosquitto:
        async with publishing(to(mosquitto, "another secret")):
            assert "secret" not in await said("not told what is heard")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await said("")


async def test_a_broker_that_does_not_answer_holds_nothing_up(said):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with publishing(MqttOptions(Broker("127.0.0.1", port))) as desk:
            desk.gaps(1)
        async with publishing(MqttOptions(Broker("127.0.0.1", port, tls=True))) as desk:
            desk.gaps(2)
    assert await said("2 events") == f"2 events for mqtts://127.0.0.1:{port}/asrd were not delivered"


@given(st.lists(st.sampled_from(["put", "send", "fail"])))
def test_the_outbox_keeps_order_and_counts_what_it_loses(steps):
    async def run() -> None:
        outbox, sent, count = Outbox(3), [], 0
        for step in steps:
            if step == "put":
                outbox.put(Message(str(count), b""))
                count += 1
            elif len(outbox):
                message = await outbox.first()
                if step == "send":
                    sent.append(int(message.topic))
                    outbox.done(message)
        assert sent == sorted(set(sent))
        assert len(sent) + len(outbox) + outbox.lost == count
        assert len(outbox) <= 3
        while len(outbox):
            outbox.done(await outbox.first())
        await outbox.emptied()

    asyncio.run(run())


def test_urls():
    assert Broker.parse("mqtt://h") == Broker("h", 1883)
    assert Broker.parse("mqtts://a%40b:c%3A@[::1]:1/x/y/") == Broker(
        "::1", 1, tls=True, user="a@b", password="c:", prefix="x/y"
    )
    shown = Broker.parse("mqtts://a:geheim@h/x")
    assert str(shown) == "mqtts://a@h:8883/x"
    assert "geheim" not in repr(shown)


@pytest.mark.parametrize(
    "url",
    ["h:1883", "http://h", "mqtt://", "mqtt://a:geheim@h:99999", "mqtt://h/a/+", "mqtt://h?x=geheim", "mqtt://[h"],
)
def test_urls_that_are_none(url):
    with pytest.raises(UsageError, match="write it as in mqtt://user@") as found:
        Broker.parse(url)
    assert "geheim" not in str(found.value)


def test_what_cannot_be(tmp_path):
    secret = tmp_path / "password"
    with pytest.raises(UsageError, match="needs a user"):
        MqttOptions(Broker("h", 1), password=secret)
    with pytest.raises(UsageError, match="mqtts://"):
        MqttOptions(Broker("h", 1), authority=secret)
    options = MqttOptions(Broker("h", 1, user="a"), password=secret)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        options.secret()
    secret.write_text("geheim\n", encoding="utf-8")
    secret.chmod(0o644)
    with pytest.raises(UsageError, match="chmod o="):
        options.secret()
    secret.chmod(0o640)
    assert options.secret() == "geheim"
    with pytest.raises(UsageError, match="is not a certificate"):
        Mqtt(MqttOptions(Broker("h", 1, tls=True), authority=secret))


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--mqtt", "mqtt://a:geheim@h"], "everyone on this machine can see a password on the command line"),
        (["--mqtt", "mqtt:geheim"], "this is not the URL of an MQTT broker"),
        (["--mqtt-partials"], "name it with --mqtt"),
        (["--mqtt", "mqtt://a@h", "--mqtt-password-file", "nowhere"], "the password in nowhere cannot be read"),
        (["--announce"], "say where with --wyoming"),
    ],
)
def test_flags_that_cannot_be(flags, why):
    result = CliRunner().invoke(asrd, ["serve", "--check", *flags])
    told = f"{result.output} {result.exception}"
    assert result.exit_code == 2 or isinstance(result.exception, UsageError)
    assert why in told
    assert "geheim" not in told

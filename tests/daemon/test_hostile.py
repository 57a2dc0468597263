"""Backends that hang or answer nonsense, and peers that send what nobody asked for."""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
import zmq
import zmq.asyncio

from asrd.backends import Backend, LoadOptions, load
from asrd.clients.sender import Sender
from asrd.core.control import ListWords
from asrd.core.errors import BackendError, TransportError
from asrd.core.events import Error, Final, Gap, Heartbeat, Partial, Started, Stopped
from asrd.core.flow import FloatArray
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.replay.testing import assert_replays
from asrd.daemon.scheduling import engine, scheduler
from asrd.daemon.server import daemon as service
from asrd.daemon.server import status
from asrd.daemon.sources.network import NetworkSource
from asrd.models import ModelDirectory

from .conftest import Harness


class Tampered:
    """Loads real backends and puts `tamper` between their answer and the daemon."""

    def __init__(self) -> None:
        self.on = threading.Event()
        self.release = threading.Event()

    def load(self, name: str, model: ModelDirectory, options: LoadOptions) -> Backend:
        backend = load(name, model, options)
        run = backend.infer
        backend.infer = lambda batch: self.tamper(run(batch)) if self.on.is_set() else run(batch)  # type: ignore[method-assign]
        return backend

    def tamper(self, answer: FloatArray) -> FloatArray:
        raise NotImplementedError


class Hanging(Tampered):
    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def tamper(self, answer: FloatArray) -> FloatArray:
        self.asked.set()
        self.release.wait(30)
        return answer


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    """What a daemon loads; it hangs, once it is told to, until the test has ended."""
    hanging = Hanging()
    monkeypatch.setattr(engine, "load", hanging.load)
    yield hanging
    hanging.release.set()


class Nonsense(Tampered):
    def tamper(self, answer: FloatArray) -> FloatArray:
        return np.full_like(answer, np.nan)


async def test_what_cannot_be_finished_in_time_is_named_and_gets_its_final(
    harness: Harness, sentences: list[FloatArray], backend: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backend hangs; the daemon stops all the same, and keeps its promises."""
    monkeypatch.setattr(service, "SHUTDOWN", 0.3)
    async with harness.running() as daemon:
        with contextlib.suppress(TransportError), Sender(harness.audio, timeout=0.5) as sender:
            sender.send(sentences[0][:80_000])  # enough for some of it to be decided, whatever the model hears
            await harness.until(lambda item: isinstance(item, Partial) and item.stable > 0)
            backend.on.set()
            sender.send(sentences[0][80_000:120_000])
            daemon.stop("the test")
            await harness.until(lambda item: isinstance(item, Stopped))
    [final] = harness.of(Final)
    assert [event.utterance for event in harness.of(Started)] == [final.utterance]
    last = harness.of(Partial)[-1]
    assert final.text[: last.stable] == last.text[: last.stable]
    assert harness.of(Gap)[-1].end == final.end


@pytest.mark.parametrize(("bound", "ended"), [(8, 2), (1, 0)])
async def test_utterances_that_wait_when_there_is_no_more_time_end_where_they_ended(
    tmp_path: Path,
    sentences: list[FloatArray],
    backend: Hanging,
    monkeypatch: pytest.MonkeyPatch,
    *,
    bound: int,
    ended: int,
) -> None:
    """Live speech does not wait for the backend, unless more of it waits than may. None of it is lost twice, and a
    recording says the same again.
    """
    monkeypatch.setattr(service, "SHUTDOWN", 0.3)
    monkeypatch.setattr(NetworkSource, "live", True)
    harness = Harness(tmp_path, record=RecordingOptions(tmp_path / "tape"))
    short = np.concatenate([sentences[0][:24_000], np.zeros(16_000, np.float32)])
    rest = np.concatenate([*[short] * ended, sentences[0][:56_000]])
    async with harness.running() as daemon:
        with contextlib.suppress(TransportError), Sender(harness.audio, timeout=0.5) as sender:
            await asyncio.to_thread(sender.send, sentences[0])
            await harness.until(lambda item: isinstance(item, Final))
            daemon.streams[0]._queue.bound = bound
            backend.on.set()
            await asyncio.to_thread(sender.send, rest)
            await harness.until(lambda item: len(harness.of(Started)) == ended + 2)
            daemon.stop("the test")
            await harness.until(lambda item: isinstance(item, Stopped))
    finals, gaps = harness.of(Final), harness.of(Gap)
    assert [final.utterance for final in finals] == [event.utterance for event in harness.of(Started)]
    assert [final.reason for final in finals] == ["silence"] * (len(finals) - 1) + ["end"]
    assert all(one.end < two.start for one, two in pairwise(finals))
    assert [(gap.start, gap.end) for gap in gaps] == [(final.start, final.end) for final in finals[1:]]
    assert await asyncio.to_thread(assert_replays, tmp_path / "tape") == len(
        [item for item in harness.seen if item.stream == "a"]
    )


async def test_a_backend_that_hangs_is_loaded_anew(
    harness: Harness, sentences: list[FloatArray], backend: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That costs no audio."""
    monkeypatch.setattr(scheduler, "MAX_WAIT", 1.0)
    async with harness.running():
        backend.on.set()
        await harness.play(sentences[1])
        assert await asyncio.to_thread(backend.asked.wait, 10)
        backend.on.clear()
        await harness.until(lambda item: isinstance(item, Final))
    [told] = [event.message for event in harness.of(Error, "daemon")]
    assert told == "backend fp16 failed; the window is tried again: it has not answered for 1 s"
    assert harness.of(Gap) == []
    assert harness.of(Final)[0].text


async def test_a_backend_that_hangs_again_once_loaded_anew_is_replaced(
    harness: Harness, sentences: list[FloatArray], backend: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another one of asrd's, which hears the window that it hung on."""
    monkeypatch.setattr(scheduler, "MAX_WAIT", 1.0)

    def load_hanging(name: str, model: ModelDirectory, options: LoadOptions) -> Backend:
        loaded = (backend.load if name == "fp16" else load)(name, model, options)
        monkeypatch.setattr(loaded, "warm_up", lambda samples: None)
        return loaded

    monkeypatch.setattr(engine, "load", load_hanging)
    async with harness.running():
        backend.on.set()
        await harness.play(sentences[1])
        await harness.until(lambda item: isinstance(item, Final) and item.backend == "int8")
    assert harness.of(Gap) == []
    assert harness.of(Error, "daemon")[1].message.startswith("backend fp16 failed twice; int8 replaces it until")


async def test_where_no_backend_can_be_loaded_anew_that_is_told_and_another_that_is_chosen_helps(
    harness: Harness, sentences: list[FloatArray], backend: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "MAX_WAIT", 1.0)

    def load_once(name: str, model: ModelDirectory, options: LoadOptions) -> Backend:
        if backend.on.is_set():
            raise BackendError("the device is gone")
        return backend.load(name, model, options)

    monkeypatch.setattr(engine, "load", load_once)
    async with harness.running():
        backend.on.set()
        await harness.play(sentences[1])
        await harness.until(lambda item: isinstance(item, Error) and "cannot be reloaded" in item.message)
        backend.on.clear()
        assert await asyncio.to_thread(harness.control.use_backend, "int8") == "fp16"
        await harness.until(lambda item: isinstance(item, Final) and item.backend == "int8")
    assert "(the device is gone)" in harness.of(Error, "daemon")[1].message


async def test_the_watchdog_is_fed_while_windows_do_not_wait_in_vain(
    harness: Harness, sentences: list[FloatArray], backend: Hanging, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    manager.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setattr(status, "HEARTBEAT", 0.05)

    async def told() -> list[bytes]:
        """What systemd was told up to now and in three heartbeats from now on."""
        start, messages = len(harness.seen), []
        await harness.until(lambda _: sum(isinstance(item, Heartbeat) for item in harness.seen[start:]) > 2, start)
        with contextlib.suppress(BlockingIOError):
            while True:
                messages.append(manager.recv(4096))
        return messages

    with manager:
        async with harness.running():
            with contextlib.suppress(TransportError), Sender(harness.audio, timeout=0.5) as sender:
                assert b"WATCHDOG=1" in await told()
                backend.on.set()
                await asyncio.to_thread(sender.send, sentences[0][:40_000])
                assert await asyncio.to_thread(backend.asked.wait, 10)
                await told()
                assert await told() == []
                backend.release.set()
                assert b"WATCHDOG=1" in await told()


async def test_answers_that_are_not_numbers_are_an_error_and_a_gap(
    harness: Harness, sentences: list[FloatArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Nonsense()
    monkeypatch.setattr(engine, "load", backend.load)
    async with harness.running() as daemon:
        backend.on.set()
        await harness.play(sentences[1])
        await harness.until(lambda item: isinstance(item, Final))
        lost = daemon.reporter.status().streams["a"].lost
        assert lost == sum(gap.end - gap.start for gap in harness.of(Gap)) > 0
    assert "not numbers" in harness.of(Error)[0].message


async def test_malformed_messages_change_nothing(harness: Harness, sentences: list[FloatArray]) -> None:
    """A subscriber that sends two frames, and requests that are none."""
    context = zmq.asyncio.Context()
    async with harness.running():
        vandal = context.socket(zmq.XSUB)
        vandal.connect(harness.options.events[0])
        await vandal.send_multipart([b"\x07hello", b"boom"])
        for payload in (b"", b"{", b'{"op":"dance"}', b'{"op":"backend use","name":"\xff"}'):
            asking = context.socket(zmq.REQ)
            asking.connect(harness.control_address)
            await asking.send(payload)
            reply = msgspec.json.decode(await asyncio.wait_for(asking.recv(), 5))
            assert reply["error"].startswith("not a request this daemon knows")
            asking.close(linger=0)
        vandal.close(linger=0)
        await harness.play(sentences[1])
        await harness.until(lambda item: isinstance(item, Final))
    context.destroy(linger=0)


async def test_a_file_name_that_is_not_utf_8(tmp_path: Path, sentences: list[FloatArray]) -> None:
    """The file fails, and an event and a recording say so; the other stream goes on, and requests are answered."""
    path, damaged = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")), sentences[1].copy()
    damaged[-1] = np.nan
    soundfile.write(os.fsencode(path), damaged, 16_000, format="WAV", subtype="FLOAT")
    sources = (f"a=pcm:ipc://{tmp_path}/a", f"b=file:{path}")
    harness = Harness(tmp_path, sources=sources, record=RecordingOptions(tmp_path / "tape"))
    async with harness.running() as daemon:
        await harness.until(lambda item: isinstance(item, Final) and item.stream == "b")
        await harness.play(sentences[0])
        await harness.until(lambda item: isinstance(item, Final) and item.stream == "a")
        daemon.engine.words.answer = lambda _: {str(path): 1.0}  # type: ignore[method-assign]
        assert await asyncio.to_thread(harness.control.words, ListWords()) == {f"{tmp_path}/caf?.wav": 1.0}
        assert daemon.reporter.status().recording
    [error] = harness.of(Error, "b")
    assert error.message.startswith(f"{tmp_path}/caf?.wav: the sample at ")
    await asyncio.to_thread(assert_replays, tmp_path / "tape")

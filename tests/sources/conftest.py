"""Functions and a separate sound server for tests of sources, as fixtures."""

import asyncio
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from asrd.core.flow import AudioChunk, FloatArray
from asrd.daemon.sources.base import Source


def _chirp(seconds: float, rate: int = 16_000, low: float = 200.0, high: float = 3_000.0) -> FloatArray:
    """Make a sweep: its autocorrelation has one sharp peak, so it can be found to the sample."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (low * time + (high - low) * time**2 / (2 * seconds))
    return (0.5 * np.sin(phase)).astype(np.float32)


def _gather(source: Source, until: Callable[[list[AudioChunk]], bool] = lambda _: False) -> list[AudioChunk]:
    """Open, collect chunks until the source ends or `until` holds, and close. Never waits more than 30 s."""

    async def run() -> list[AudioChunk]:
        found: list[AudioChunk] = []
        async with asyncio.timeout(30):
            await source.open()
            try:
                async for chunk in source.chunks():
                    found.append(chunk)
                    if until(found):
                        await source.close()
            finally:
                await source.close()
        return found

    return asyncio.run(run())


def _audio(chunks: list[AudioChunk]) -> FloatArray:
    """Return all samples, after checking that every position is accounted for."""
    position = 0
    for chunk in chunks:
        assert chunk.start == position + chunk.lost
        assert chunk.pcm.dtype == np.float32
        assert chunk.pcm.ndim == 1
        position = chunk.start + len(chunk.pcm)
    return np.concatenate([chunk.pcm for chunk in chunks]) if chunks else np.zeros(0, np.float32)


def _likeness(heard: FloatArray, played: FloatArray) -> tuple[float, int]:
    """Return the normalised cross-correlation at its best alignment, and the position in `heard`."""
    size = 1 << (len(heard) + len(played)).bit_length()
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(played, size)), size)
    energy = np.concatenate([[0.0], np.cumsum(heard.astype(np.float64) ** 2)])
    at = np.arange(len(heard) - len(played) + 1)
    local = np.sqrt(np.maximum(energy[at + len(played)] - energy[at], 1e-9))
    scores = products[at] / (local * np.linalg.norm(played))
    where = int(np.argmax(scores))
    return float(scores[where]), where


@pytest.fixture
def chirp() -> Callable[..., FloatArray]:
    return _chirp


@pytest.fixture
def gather() -> Callable[..., list[AudioChunk]]:
    return _gather


@pytest.fixture
def audio() -> Callable[[list[AudioChunk]], FloatArray]:
    return _audio


@pytest.fixture
def likeness() -> Callable[[FloatArray, FloatArray], tuple[float, int]]:
    return _likeness


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Check that every thread that a test starts ends soon after it."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), f"{thread.name} is left over"


class SoundServer:
    """A PulseAudio server for the tests, whose microphone hears what is played into it."""

    def __init__(self, home: Path) -> None:
        self.environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PULSE_SERVER": f"unix:{home}/socket"}
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        modules = (
            f"module-native-protocol-unix socket={self._home}/socket auth-anonymous=1",
            "module-null-sink sink_name=virtmic rate=48000",
        )
        with (self._home / "log").open("ab") as log:
            options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-target=stderr"]
            self._process = subprocess.Popen(
                ["pulseaudio", *options, *(f"--load={module}" for module in modules)],
                env={**os.environ, **self.environment},
                stderr=log,
            )
        deadline = time.monotonic() + 10
        while self._run("pactl", "set-default-source", "virtmic.monitor").returncode:
            assert self._process.poll() is None, (self._home / "log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "PulseAudio does not answer"
            time.sleep(0.05)  # its only sign of readiness is an answer

    def _run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, check=False)

    def play(self, file: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["paplay", "-d", "virtmic", str(file)], env={**os.environ, **self.environment})

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze the server: it is alive, but answers nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        yield
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def sound_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundServer]:
    """A running server, which this process's PortAudio uses too."""
    for program in ("pulseaudio", "pactl", "paplay"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt install pulseaudio pulseaudio-utils libasound2-plugins)")
    server = SoundServer(tmp_path)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.start()
    yield server
    server.kill()

"""A real `asrd serve` on a loopback port, shared by all tests of a process that do not change it."""

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from click.testing import CliRunner

from asrd.cli.main import asrd
from asrd.clients import AsyncSubscriber, Control
from asrd.models.speech import bundled as bundled_speech

MODEL = "asrd-tiny-en"
FULL, LISTENER = "a-token-for-everything", "a-token-for-listening"
START, END = 60, 10


@dataclass(frozen=True)
class Served:
    """A running `asrd serve`. log: its lines so far."""

    url: str
    events: str
    control: Control
    process: subprocess.Popen[str]
    log: list[str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def ws(self) -> str:
        return self.url.replace("http", "ws", 1)

    def streams(self) -> list[str]:
        return list(self.control.status().streams)


@contextmanager
def serving(directory: Path, *flags: str) -> Iterator[Served]:
    """Run `asrd serve` on a free port until the block ends."""
    events, control = (f"ipc://{directory / name}" for name in ("events", "control"))
    command = [sys.executable, "-m", "asrd.cli.main", "serve", "--http", "127.0.0.1:0", "--model", MODEL]
    command += ["--events", events, "--control", control, "--no-journal", *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    log: list[str] = []
    up = threading.Event()

    def read() -> None:
        assert process.stderr
        with process.stderr:
            for line in process.stderr:
                log.append(line.rstrip("\n"))
                if "serving at" in line:
                    up.set()
        up.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert up.wait(START), log
        serving_at = [line for line in log if "serving at" in line]
        assert serving_at, log
        yield Served(serving_at[0].split()[-1], events, Control(control, timeout=30), process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        reader.join()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, ssl.SSLContext, Path]]:
    """What only those with a token may use, over TLS; what trusts its certificate, and the certificate."""
    folder = tmp_path_factory.mktemp("secured")
    tokens, certificate, key = (folder / name for name in ("tokens", "cert.pem", "key.pem"))
    tokens.write_text(f"{FULL}\n{LISTENER} listen\n", encoding="utf-8")
    tokens.chmod(0o600)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    flags = ["--token-file", str(tokens), "--tls-cert", str(certificate), "--tls-key", str(key)]
    with serving(folder, *flags) as found:
        yield found, ssl.create_default_context(cafile=certificate), certificate


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three real sentences at 24 kHz, the rate of OpenAI's Realtime API, each with silence that ends it."""
    folder, found = tmp_path_factory.mktemp("clips"), []
    for number, utterance in enumerate(bundled_speech("real")[:3]):
        pcm, rate = soundfile.read(utterance.audio, dtype="float32")
        path = folder / f"{number}.wav"
        padded = np.concatenate([soxr.resample(pcm, rate, 24_000), np.zeros(24_000, np.float32)])
        soundfile.write(path, padded, 24_000, subtype="PCM_16")
        found.append(path)
    return found


@pytest.fixture(scope="session")
def whole(clips: list[Path]) -> Path:
    """All three in one file."""
    path = clips[0].with_name("whole.wav")
    soundfile.write(path, np.concatenate([soundfile.read(clip, dtype="int16")[0] for clip in clips]), 24_000)
    return path


@pytest.fixture(scope="session")
def transcribed(clips: list[Path], whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """What `asrd transcribe` writes of a file, in a format."""
    ours = (*clips, whole)

    @cache
    def transcribe(paths: tuple[Path, ...], form: str) -> dict[Path, str]:
        folder = tmp_path_factory.mktemp("transcribed")
        flags = ["--model", MODEL, "--format", form, "-o", str(folder)]
        result = CliRunner().invoke(asrd, ["transcribe", *map(str, paths), *flags])
        assert result.exit_code == 0, result.output
        ends = {"text": ".txt"}.get(form, f".{form}")
        return {path: (folder / path.stem).with_suffix(ends).read_text(encoding="utf-8") for path in paths}

    return lambda path, form="text": transcribe(ours if path in ours else (path,), form)[path]


def asked(
    url: str,
    method: str = "GET",
    data: bytes | None = None,
    context: ssl.SSLContext | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """Make a request; return the status of the answer, and its JSON."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def first(events: AsyncSubscriber, kind: type) -> Any:
    """Return the next event of a kind."""
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError

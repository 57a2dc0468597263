"""The examples do what they say."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import soundfile

from asrd.models import store
from asrd.models.speech import bundled
from tests.cli.conftest import Spawn, unused_port
from tests.installing import install

EXAMPLES = Path(__file__).parents[2] / "examples"
BACKEND = EXAMPLES / "backend"
TINY = store.BUNDLED / "asrd-tiny-en"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a process that has the example's distribution installed beside asrd."""
    return install(BACKEND, tmp_path_factory.mktemp("backend"))


@pytest.mark.slow
def test_the_backend_is_found_and_conforms(installed: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-c", os.devnull]
    result = subprocess.run(
        [*command, str(BACKEND / "test_asrd_cosines.py")], env=installed, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
    assert "12 passed" in result.stdout


def test_the_backend_is_as_short_as_the_page_says() -> None:
    code = (BACKEND / "asrd_cosines.py").read_text(encoding="utf-8").splitlines()
    assert len([line for line in code if line.strip()]) <= 30
    (name,) = tomllib.loads((BACKEND / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"][
        "asrd.backends"
    ]
    assert f'name = "{name}"' in (BACKEND / "test_asrd_cosines.py").read_text(encoding="utf-8")


def test_the_tutorial_is_short() -> None:
    assert len((EXAMPLES / "quantize_by_hand.py").read_text(encoding="utf-8").splitlines()) <= 80


@pytest.mark.slow
def test_a_bundled_model_is_quantized_by_hand(tmp_path: Path) -> None:
    """The libraries take the bundled model as they take any checkpoint of the hub."""
    command = [sys.executable, str(EXAMPLES / "quantize_by_hand.py"), "--clips", "2", "-o", str(tmp_path / "out")]
    done = subprocess.run(
        command,
        env={**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rates = dict(re.findall(r"^(PyTorch|INT8): ([\d.]+) % WER on 2 recordings$", done.stdout, re.MULTILINE))
    assert set(rates) == {"PyTorch", "INT8"}
    assert (tmp_path / "out" / "int8.bin").stat().st_size < (TINY / "openvino" / "fp16.bin").stat().st_size


@pytest.mark.slow
def test_what_the_senders_send_the_subscriber_prints(spawn: Spawn, environment: dict[str, str], tmp_path: Path) -> None:
    """One uses asrd's library, the other knows nothing of it."""
    address, many = (f"tcp://127.0.0.1:{unused_port()}" for _ in range(2))
    sources = ("--source", f"pcm:{address}", "--source", f"call=pcm:{many}?streams=each")
    daemon = spawn("start", "--backend", "fp16", *sources)
    assert daemon.stderr is not None
    assert any("ready" in line for line in daemon.stderr)
    command = [sys.executable, str(EXAMPLES / "subscriber.py")]
    subscriber = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        clip = min(bundled("real"), key=lambda clip: clip.seconds)
        soundfile.write(tmp_path / "clip.wav", *soundfile.read(clip.audio, dtype="int16"), subtype="PCM_16")
        for script, path, where in (("sender.py", clip.audio, address), ("push.py", tmp_path / "clip.wav", many)):
            subprocess.run([sys.executable, str(EXAMPLES / script), str(path), where], env=environment, check=True)
            assert subscriber.stdout is not None
            final = next(line for line in subscriber.stdout if line.endswith("%)\n"))
            assert any(word in final.upper() for word in clip.text.split())
    finally:
        subscriber.kill()
        subscriber.communicate()

"""`asrd send` and `asrd devices` work as people run them."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
import soundfile
import zmq

from asrd.daemon.sources.network import NetworkSource

ASRD = (sys.executable, "-m", "asrd.cli.main")


@pytest.fixture
def address(tmp_path):
    return f"ipc://{tmp_path}/pcm.sock"


def send(address, *arguments, stdin=b"", interrupt=False):
    """Run `asrd send` against a listening source: return exit code, standard error and chunks.

    interrupt: press Ctrl-C once something was heard.
    """

    async def run():
        source = NetworkSource("net", address)
        await source.open()
        process = await asyncio.create_subprocess_exec(
            *ASRD, "send", *arguments, "--to", address, stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        talk = asyncio.create_task(process.communicate(stdin))
        chunks = []
        async with asyncio.timeout(30):
            async for chunk in source.chunks():
                if interrupt and not chunks:
                    process.send_signal(signal.SIGINT)
                chunks.append(chunk)
                if "has ended" in chunk.reason:
                    await source.close()
            _, error = await talk
        return process.returncode, error.decode(), chunks

    return asyncio.run(run())


def run(*arguments):
    return subprocess.run([*ASRD, *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_a_file_is_sent_whole(tmp_path, address, audio, chirp):
    soundfile.write(tmp_path / "chirp.flac", chirp(7.0, 44_100), 44_100)
    code, error, chunks = send(address, str(tmp_path / "chirp.flac"), "--pace", "fast")
    assert (code, error.strip()) == (0, f"sent 7.0 s to {address}, lost 0.0 s")
    assert np.abs(audio(chunks) - chirp(7.0))[200:-200].max() < 1e-3


def test_raw_pcm_is_sent_from_standard_input(address, audio, chirp):
    data = (chirp(3.0, 48_000) * 32_767).astype("<i2").tobytes()
    code, error, chunks = send(address, "pcm:-?rate=48000", stdin=data)
    assert (code, error.strip()) == (0, f"sent 3.0 s to {address}, lost 0.0 s")
    assert np.abs(audio(chunks) - chirp(3.0))[200:-200].max() < 1e-3
    code, _, chunks = send(address, "-", stdin=data)
    assert len(audio(chunks)) == 3 * 48_000  # taken for 16 kHz, as no rate was given


def test_ctrl_c_ends_the_session_in_order(tmp_path, address, audio, chirp):
    soundfile.write(tmp_path / "chirp.wav", chirp(20.0), 16_000)
    code, error, chunks = send(address, str(tmp_path / "chirp.wav"), interrupt=True)
    assert code == 0
    assert chunks[-1].reason == "the sender has ended"
    heard = len(audio(chunks))
    assert 0 < heard < 5 * 16_000
    assert error.strip() == f"sent {heard / 16_000:.1f} s to {address}, lost 0.0 s"


def test_ctrl_c_pressed_again_does_not_wait_for_a_daemon_that_hangs(tmp_path, address):
    soundfile.write(tmp_path / "long.wav", np.zeros(60 * 16_000), 16_000)
    with zmq.Context() as context, context.socket(zmq.PULL) as daemon:
        daemon.rcvhwm, daemon.linger = 1, 0
        daemon.bind(address)
        command = [*ASRD, "send", str(tmp_path / "long.wav"), "--pace", "fast", "--to", address]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            assert daemon.poll(20_000)
            deadline = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < deadline:
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
            process.kill()
        assert process.returncode == -signal.SIGINT


def test_nobody_listening_and_nothing_to_send_are_one_line(tmp_path, address):
    missing = run("send", str(tmp_path / "no.wav"), "--to", address)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == f"asrd: no such file: {tmp_path}/no.wav; check the path\n"
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 16_000)
    alone = run("send", str(tmp_path / "a.wav"), "--to", address)
    assert (alone.returncode, alone.stdout) == (1, "")
    assert alone.stderr == (
        f"asrd: nothing listens at {address}; start a daemon with 'asrd start --source pcm:{address}'\n"
    )
    assert run("send", "x.wav").returncode == 2


def test_no_microphone_is_an_ordinary_answer(monkeypatch, tmp_path):
    for name in ("HOME", "XDG_RUNTIME_DIR"):  # hide the sound server
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    listed = run("devices", "--json")
    if json.loads(listed.stdout):
        pytest.skip("this machine has a sound card")
    assert listed.returncode == 0
    told = run("devices")
    assert (told.returncode, told.stdout) == (0, "no microphones found\n")
    assert "pcm:tcp://" in told.stderr
    refused = run("send", "mic", "--to", f"ipc://{tmp_path}/none")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1

"""`asrd live` shows what is said, with a daemon of its own that ends with it."""

import signal
from pathlib import Path

import numpy as np
import psutil
import pytest

from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

from .conftest import Run, Spawn

TINY = ("--model", "asrd-tiny-en")


def test_it_shows_what_transcribe_says(run: Run, tmp_path: Path) -> None:
    clip = bundled("real")[0].audio
    text = ("--no-raw", "--numbers", "--spelling", "WOULD")  # which its daemon is told
    shown = run("live", "-s", clip, "--pace", "fast", *TINY, "--decoder", "greedy", *text, TMPDIR=str(tmp_path))
    assert (shown.returncode, shown.stderr) == (0, f"Listening: {clip.stem}. Ctrl-C ends.\n")
    assert shown.stdout.split() == run("transcribe", clip, *TINY, "--decoder", "greedy", *text).stdout.split()
    assert "WOULD" in shown.stdout
    assert not list(tmp_path.glob("asrd-live-*"))


def test_ctrl_c_finishes_what_was_heard(spawn: Spawn) -> None:
    live = spawn("live", "-s", "pcm:-", *TINY, "--format", "json")
    assert live.stdin
    assert live.stdout
    speech = np.concatenate([*read_blocks(bundled("real")[0].audio)])[:32_000]
    live.stdin.buffer.write((speech * 32_767).astype("<i2").tobytes())
    live.stdin.flush()
    while '"type":"started"' not in live.stdout.readline():
        pass
    live.send_signal(signal.SIGINT)
    rest, errors = live.communicate(timeout=20)
    assert live.returncode == 0, errors
    assert rest.count('"type":"final"') == 1
    assert '"type":"stopped"' in rest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nosuch"], "there is no model 'nosuch'"),
        (["-s", "mic:NoSuch", *TINY], "no microphone is called 'NoSuch'; 'asrd devices' lists those there are"),
    ],
)
def test_what_keeps_it_from_starting_is_told(run: Run, arguments: list[str], message: str) -> None:
    result = run("live", *arguments, NOTIFY_SOCKET="/nowhere/of/the/desktop")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"asrd: {message}")
    assert result.stderr.count("\n") == 1


def test_killed_it_leaves_nothing_behind(spawn: Spawn, tmp_path: Path) -> None:
    live = spawn("live", "-s", "pcm:-", *TINY, TMPDIR=str(tmp_path))
    assert live.stderr
    assert live.stderr.readline().startswith("Listening")
    (daemon,) = psutil.Process(live.pid).children()
    live.send_signal(signal.SIGTERM)
    assert live.wait(15) == 128 + signal.SIGTERM
    assert not daemon.is_running()
    assert not list(tmp_path.glob("asrd-live-*"))

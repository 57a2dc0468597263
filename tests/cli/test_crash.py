"""Daemons that are killed while someone speaks: every final arrives once, and what was not heard is named."""

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from asrd.clients import Control, Subscriber
from asrd.clients.sender import Sender
from asrd.core.events import AnyEvent, Final, Gap, Partial, Started, Stopped
from asrd.core.flow import FloatArray
from asrd.daemon.journal.file import lock
from asrd.daemon.journal.store import Store
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

from .conftest import Run, Spawn

ARCHIVE = """
import sys
from asrd.clients import Hole, Subscriber
from asrd.core.events import Final, encode

with Subscriber(sys.argv[1], name="archive", timeout=60, max_wait=1.0) as events:
    for event in events:
        if isinstance(event, Hole):
            print("hole", flush=True)
        elif isinstance(event, Final):
            print(encode(event).decode(), flush=True)
"""
"""A consumer in a process of its own."""

KILLS = 50 if "ASRD_SOAK" in os.environ else 3


def speech() -> FloatArray:
    """Sentences with half a second between them, enough for all the kills."""
    clips, pause = bundled("real")[:6] * -(-KILLS // 3), np.zeros(8_000, np.float32)
    return np.concatenate([part for clip in clips for part in (*read_blocks(clip.audio), pause)])


def play(address: str, audio: FloatArray, block: int = 1_600) -> None:
    """Send it twice as fast as it was spoken, over any number of daemons."""
    with Sender(address, timeout=60, away=math.inf, waits=True) as sender:
        for first in range(0, len(audio), block):
            sender.send(audio[first : first + block])
            time.sleep(block / 32_000)


def journal(file: Path) -> list[AnyEvent]:
    with Store(file) as store:
        page = store.read(0, 1 << 62, room=1 << 30)
    return msgspec.json.decode(f"[{','.join(page.payloads)}]", type=list[AnyEvent])


def heard_before(file: Path) -> int:
    """How many frames of its sender a daemon that was killed had noted as heard."""
    with Store(file) as store:
        [(frames,)] = store.rows("SELECT frames FROM heard")
    return int(frames)


@pytest.mark.slow
def test_daemons_are_killed_while_someone_speaks(
    spawn: Spawn, environment: dict[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    address, file, audio = f"ipc://{tmp_path}/audio", tmp_path / "journal.sqlite", speech()
    command = ["start", "--model", "asrd-tiny-en", "--source", f"a=pcm:{address}", "--journal", file]
    control = Control(environment["ASRD_CONTROL"], timeout=30)
    daemon = spawn(*command)
    playing = threading.Thread(target=play, args=(address, audio))
    playing.start()
    archive = subprocess.Popen(
        [sys.executable, "-c", ARCHIVE, environment["ASRD_EVENTS"]], env=environment, stdout=subprocess.PIPE, text=True
    )
    before, known = 0, []
    try:
        with Subscriber(environment["ASRD_EVENTS"], timeout=60, max_wait=1.0) as subscriber:
            events = iter(subscriber)
            for _ in range(KILLS):
                lives = Counter[str]()
                for event in events:
                    if isinstance(event, Partial) and event.stable:
                        lives[event.daemon] += 1
                        if lives[event.daemon] == 3:
                            break
                daemon.kill()
                daemon.wait()
                known.append(event)
                before = heard_before(file)
                daemon = spawn(*command)
            playing.join(60)
            while control.status().streams["a"].position + before < len(audio):
                time.sleep(0.05)
            position = control.status().streams["a"].position
            control.stop()
            daemon.wait(10)
        said = journal(file)
        finals = [event for event in said if isinstance(event, Final)]
        lines = [archive.stdout.readline() for _ in finals]  # type: ignore[union-attr]
    finally:
        archive.kill()
        archive.communicate()
    assert position + before == len(audio)  # together they heard every sample once
    check(said, finals, known)
    assert [json.loads(line)["seq"] for line in lines] == [final.seq for final in finals]  # each once, in order
    for name, number in {"kills": KILLS, "finals": len(finals), "lost": 0, "twice": 0}.items():
        record_property(name, number)


def check(said: list[AnyEvent], finals: list[Final], known: list[AnyEvent]) -> None:
    """Be sure that all utterances ended once. known: the last of each daemon that was killed in it."""
    seqs = [event.seq for event in said]
    assert seqs == sorted(set(seqs))
    assert len({event.daemon for event in said}) == KILLS + 1
    started = [(event.daemon, event.utterance) for event in said if isinstance(event, Started)]
    assert sorted(started) == sorted((final.daemon, final.utterance) for final in finals)
    crashed = {(final.daemon, final.utterance): final for final in finals if final.reason == "crash"}
    for partial in known:
        assert isinstance(partial, Partial)
        final = crashed.pop((partial.daemon, partial.utterance))
        assert final.text.startswith(partial.text[: partial.stable].rpartition(" ")[0])
        [gap] = [gap for gap in said if isinstance(gap, Gap) and gap.daemon == partial.daemon]
        assert (gap.start, gap.end) == (final.speech_end, final.end)
        assert gap.end >= partial.end
    assert not crashed
    assert isinstance(said[-1], Stopped)


def test_a_journal_that_is_damaged_does_not_keep_a_daemon_from_starting(run: Run, tmp_path: Path) -> None:
    (file := tmp_path / "journal.sqlite").write_bytes(b"no journal" * 1000)
    clip = bundled("real")[0].audio
    daemon = run("start", "--model", "asrd-tiny-en", "--source", clip, "--pace", "fast", "--journal", file)
    assert daemon.returncode == 0
    aside = tmp_path / "journal.sqlite.unusable"
    assert f"the journal {file} was unusable (file is not a database); it is now {aside}" in daemon.stderr
    assert "Traceback" not in daemon.stderr
    assert aside.read_bytes().startswith(b"no journal")
    assert any(isinstance(event, Final) for event in journal(file))


def test_the_journal_of_a_running_daemon_is_found_wherever_it_lies(
    spawn: Spawn, run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    daemon = spawn("start", "--source", f"a=pcm:ipc://{tmp_path}/a", "--journal", tmp_path / "elsewhere")
    with Subscriber(environment["ASRD_EVENTS"], timeout=60) as subscriber:
        next(iter(subscriber))
    file = tmp_path / "elsewhere" / "journal.sqlite"
    assert f"journal  of all events, in {file}" in run("status").stdout
    assert "backend int8" in run("journal", "show").stdout
    daemon.terminate()
    assert daemon.wait(10) == 0
    assert "stopped: SIGTERM" in run("journal", "show", "--journal", file).stdout


def test_two_daemons_do_not_share_a_journal(run: Run, tmp_path: Path) -> None:
    held = lock(tmp_path / "journal.sqlite")
    second = run("start", "--source", "pcm:-", "--journal", tmp_path)
    os.close(held)
    assert (second.returncode, second.stderr.count("\n")) == (1, 1)
    assert "another daemon keeps its journal at" in second.stderr


def test_without_a_journal_nothing_is_written(run: Run, tmp_path: Path) -> None:
    clip = bundled("real")[0].audio
    daemon = run("start", "--model", "asrd-tiny-en", "--source", clip, "--pace", "fast", "--no-journal")
    assert daemon.returncode == 0
    assert not list((tmp_path / "state").rglob("*"))

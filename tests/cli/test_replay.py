"""Record and replay as people do: with processes, signals and files."""

import signal
import zlib
from contextlib import suppress
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from asrd.clients import Control, Subscriber
from asrd.clients.sender import Sender
from asrd.core.errors import TransportError
from asrd.core.events import Heartbeat, Partial, Started, decode
from asrd.daemon.recorder import blocks
from asrd.daemon.recorder.records import FORMAT
from asrd.daemon.replay.takes import takes
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

from .conftest import Run, Spawn


@pytest.mark.parametrize(
    ("version", "remedy"), [(1, "replay it with the asrd that made it"), (99, "upgrade asrd to replay it")]
)
def test_a_recording_of_another_format_is_refused_in_a_line(
    run: Run, tmp_path: Path, version: int, remedy: str
) -> None:
    (path := tmp_path / "x.asrd").write_bytes(b"asrd recording %d\nwhatever" % version)
    result = run("replay", path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"asrd: {path} has format {version}, this asrd reads format {FORMAT}; {remedy}\n"


def test_a_recording_that_holds_something_else_is_refused_in_a_line(run: Run, tmp_path: Path) -> None:
    said = zlib.compress(msgspec.msgpack.encode([["ended", "", "more"]]))
    head = blocks.HEAD.pack(len(said), 0, zlib.crc32(said))
    (path := tmp_path / "x.asrd").write_bytes(blocks.MAGIC + head + said)
    result = run("replay", path)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(f"asrd: {path} does not hold what format {FORMAT} does (")
    assert result.stderr.endswith("; replay it with the asrd that made it\n")


def test_a_daemon_that_is_killed_leaves_all_but_its_last_moment(
    spawn: Spawn, run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    recording, audio = tmp_path / "tape", f"ipc://{tmp_path}/audio"
    daemon = spawn("start", "--source", f"a=pcm:{audio}", "--backend", "fp16", "--record", recording)
    clip = list(read_blocks(bundled("real")[0].audio))
    samples, control = sum(map(len, clip)), Control(environment["ASRD_CONTROL"])
    subscriber, sending = Subscriber(environment["ASRD_EVENTS"], once=True), Sender(audio, timeout=60, waits=True)
    with suppress(TransportError), subscriber as events, sending as sender:  # the daemon is gone
        for block in clip:
            sender.send(block)
        beats = (event for event in events if isinstance(event, Heartbeat))
        next(beat for beat in beats if control.status().streams["a"].position > samples - 1600)
        assert len(list(islice(beats, 2))) == 2  # a second has passed since the last audio
        state = run("status")
        sender.timeout = 0.1  # the daemon will not come back
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
    assert f"records  all audio and events, in {recording}" in state.stdout
    [take] = takes(recording)
    assert not take.whole
    assert take.samples > samples - 1600
    again = run("replay", recording, "--json")
    assert again.returncode == 0, again.stderr
    assert "the same, bit for bit" in again.stderr
    assert {type(decode(line.encode())) for line in again.stdout.splitlines()} >= {Started, Partial}
    other = run("replay", recording, "--stream", "b")
    assert (other.returncode, other.stderr) == (2, f"asrd: no stream is called 'b' in {recording}; there are: a\n")

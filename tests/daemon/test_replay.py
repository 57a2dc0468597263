"""What a daemon recorded is heard and said again, to the bit."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from asrd.backends import Backend, load
from asrd.cli.main import asrd
from asrd.clients.sender import Sender
from asrd.core.errors import AsrdError, ModelError, UsageError
from asrd.core.events import Backend as BackendEvent
from asrd.core.events import Final, Gap, Partial, Settings, Started, decode
from asrd.core.flow import FloatArray
from asrd.core.units import samples
from asrd.daemon.recorder import blocks, tape
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.recorder.records import AnyRecord, Begin, Said
from asrd.daemon.replay.replay import Player
from asrd.daemon.replay.takes import paths, takes
from asrd.daemon.replay.testing import assert_replays, transcripts
from asrd.models import ModelDirectory
from asrd.quant.evaluation.score import error_rate

from .conftest import Harness, drive


@pytest.fixture(scope="module")
def player(bundled: ModelDirectory) -> Callable[[], Player]:
    """Makes players that share their backends."""
    backends: dict[str, Backend] = {name: load(name, bundled) for name in ("fp16", "int8")}
    return lambda: Player(bundled, backends.__getitem__)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory, sentences: list[FloatArray]) -> Harness:
    """A daemon that recorded speech with a hole in it, and a change of the backend within an utterance.

    Its files are cut at every moment of rest.
    """
    directory = tmp_path_factory.mktemp("recording")
    harness = Harness(directory, record=RecordingOptions(directory / "tape"))
    audio, middle = sentences[0], len(sentences[0]) // 2

    def with_a_hole() -> None:
        with Sender(harness.audio, waits=True) as sender:
            sender.send(sentences[1][:20_000])
            sender.position += 4000
            sender.send(sentences[1][24_000:])

    async def scenario() -> None:
        async with harness.running() as daemon:
            async with harness.sender() as send:
                await send(audio[:middle])
                await harness.until(lambda item: isinstance(item, Partial) and item.stable > 0)
                await asyncio.to_thread(harness.control.use_backend, "int8")
                await harness.until(lambda item: isinstance(item, BackendEvent) and item.name == "int8")
                await asyncio.to_thread(harness.control.set, {"hangover": samples(0.7)})
                await send(audio[middle:])

            def rests(position: int) -> bool:
                heard = daemon.streams[0].status.position > position - 1600
                return heard and len(harness.of(Started)) == len(harness.of(Final))

            await harness.until(lambda _: rests(len(audio)))
            await asyncio.to_thread(with_a_hole)
            await harness.until(lambda _: rests(len(audio) + len(sentences[1])))
            assert daemon.reporter.status().recording == str(directory / "tape")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "AT_REST", 0.5)
        drive(scenario())
    assert harness.of(Gap)
    assert harness.of(Settings)
    assert {event.backend for event in harness.of(Partial)} == {"fp16", "int8"}
    return harness


@pytest.fixture
def recording(harness: Harness, tmp_path: Path) -> Path:
    """A copy, to do with as one likes."""
    assert harness.options.record
    return Path(shutil.copytree(harness.options.record.directory, tmp_path / "tape"))


def test_every_event_is_the_same_to_the_bit(harness: Harness, recording: Path, player: Callable[[], Player]) -> None:
    one, pairs = player(), []
    for take in takes(recording):
        assert take.whole
        pairs += one.play(take)
    assert [pair for pair in pairs if not pair.same] == []
    assert [decode(pair.made or b"") for pair in pairs] == [item for item in harness.seen if item.stream == "a"]


def test_what_is_left_when_the_oldest_is_gone_is_the_same_too(recording: Path, player: Callable[[], Player]) -> None:
    streams = [path for path in paths(recording) if "-a-" in path.name]
    assert len(streams) > 1
    streams[0].unlink()
    found = list(takes(recording))
    assert found[0].begin.index == 1
    one = player()
    assert all(pair.same for take in found for pair in one.play(take))


def test_a_file_that_breaks_off_is_replayed_up_to_there(recording: Path, player: Callable[[], Player]) -> None:
    path = max((path for path in paths(recording) if "-a-" in path.name), key=lambda path: path.stat().st_size)
    data = path.read_bytes()
    whole = len(list(blocks.read(path)))
    lengths = []
    for size in (len(data) - 1, len(data) * 2 // 3, len(data) // 3):
        path.write_bytes(data[:size])
        records = list(blocks.read(path))
        lengths.append(len(records))
        for take in takes(path) if records else []:
            assert not take.whole
            assert all(pair.same for pair in player().play(take))
    assert whole > lengths[0] >= lengths[1] >= lengths[2]


@pytest.mark.parametrize(("place", "option"), [("records", "--compare"), ("head", "--list"), ("length", "--text")])
def test_a_damaged_file_is_told_and_replayed_up_to_there(recording: Path, place: str, option: str) -> None:
    first, *_, last = [path for path in paths(recording) if "-a-" in path.name]
    path = first if place == "length" else last  # what ends within a block may be the last of its stream alone
    data = path.read_bytes()
    begins = data.index(b"\n") + 1
    said, heard, _ = blocks.HEAD.unpack_from(data, begins)
    second = begins + blocks.HEAD.size + said + heard
    if place == "length":
        path.write_bytes(data[:-1])
    else:
        at = second + (blocks.HEAD.size if place == "records" else 0)
        path.write_bytes(data[:at] + bytes(12) + data[at + 12 :])
    result = CliRunner().invoke(asrd, ["replay", str(recording), option])
    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if line.startswith(f"asrd: {path} ")]
    assert len(told) == 1
    assert told[0].endswith("; copy it again")
    assert ("the same, bit for bit" in result.stderr) == (option == "--compare")
    with pytest.raises(AsrdError, match="copy it again"):
        list(takes(recording))


def test_the_command_says_what_is_the_same_and_what_is_not(recording: Path) -> None:
    same = CliRunner().invoke(asrd, ["replay", str(recording)])
    assert same.exit_code == 0, same.output
    assert "the same, bit for bit" in same.stderr

    other = CliRunner().invoke(asrd, ["replay", str(recording), "--backend", "int8"])
    assert other.exit_code == int("none with another text" not in other.stderr)

    _forge(recording, b'"reason":"silence"', b'"reason":"sigh"')
    differing = CliRunner().invoke(asrd, ["replay", str(recording)])
    assert differing.exit_code == 1
    assert "reason was 'sigh', now it is 'silence'" in differing.stderr
    assert CliRunner().invoke(asrd, ["replay", str(recording), "--no-compare"]).exit_code == 0


def _forge(recording: Path, old: bytes, new: bytes) -> None:
    def forged(record: AnyRecord) -> AnyRecord:
        return Said(record.payload.replace(old, new)) if isinstance(record, Said) else record

    for path in paths(recording):
        records = [forged(record) for record in blocks.read(path)]
        path.write_bytes(blocks.MAGIC + blocks.pack(records))


def test_a_bug_report_becomes_a_test(recording: Path, tmp_path: Path, harness: Harness) -> None:
    report = tmp_path / "report.asrd"
    result = CliRunner().invoke(asrd, ["replay", str(recording), "--export", str(report), "--utterance", "0"])
    assert result.exit_code == 0, result.output
    assert report.stat().st_size < 150_000  # seven seconds of speech, and what led to it
    assert assert_replays(report) > 2

    [first, *_] = harness.of(Final)
    [heard] = transcripts(report, backend=first.backend)
    assert error_rate("cer", [first.text], [heard]) < 0.3  # it begins with less to get used to the level from


def test_the_list_says_what_there_is(recording: Path, harness: Harness) -> None:
    streams = CliRunner().invoke(asrd, ["replay", str(recording), "--list", "--json"])
    assert json.loads(streams.stdout)["utterances"] == f"0–{len(harness.of(Final)) - 1}"
    spoken = CliRunner().invoke(asrd, ["replay", str(recording), "--list", "--stream", "a"])
    assert spoken.stdout.count("silence") >= 1


def test_another_model_is_no_surprise(recording: Path) -> None:
    for path in paths(recording):
        begin, *rest = blocks.read(path)
        assert isinstance(begin, Begin)
        other = msgspec.structs.replace(begin, files=dict.fromkeys(begin.files, "0" * 64))
        path.write_bytes(blocks.MAGIC + blocks.pack([other, *rest]))
    with pytest.raises(ModelError, match="is not the model that was recorded with"):
        CliRunner().invoke(asrd, ["replay", str(recording)], catch_exceptions=False)
    assert CliRunner().invoke(asrd, ["replay", str(recording), "--text", "--no-compare"]).exit_code == 0


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no recording"):
        list(takes(tmp_path))
    (tmp_path / "x.asrd").write_bytes(b"RIFF")
    with pytest.raises(UsageError, match="no recording of asrd's"):
        list(takes(tmp_path / "x.asrd"))
    (tmp_path / "y.asrd").write_bytes(blocks.MAGIC)
    with pytest.raises(AsrdError, match="can be replayed"):
        list(takes(tmp_path / "y.asrd"))

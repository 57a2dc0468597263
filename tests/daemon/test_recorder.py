"""The flight recorder: whatever happened happens again, within its bound, and never at the pipeline's cost."""

import asyncio
import errno
import os
import random
import stat
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from asrd.backends import load
from asrd.core.errors import AsrdError, UsageError
from asrd.core.events import DAEMON_STREAM, Error, Final
from asrd.core.flow import FloatArray
from asrd.daemon import packing
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recorder import blocks, ring, tape
from asrd.daemon.recorder.form import RecordedOptions
from asrd.daemon.recorder.options import SMALLEST, RecordingOptions
from asrd.daemon.recorder.recorder import Recorder
from asrd.daemon.recorder.records import AnyRecord, Begin, Captured
from asrd.daemon.recorder.ring import Ring
from asrd.daemon.replay.replay import Player
from asrd.daemon.replay.takes import takes
from asrd.daemon.stream.stream import make_stream
from asrd.models import ModelDirectory

from .chance import Chance, Chunks, Outlet, Toy, opening, written
from .conftest import Harness


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), rest=st.sampled_from([-1.0, 1000.0]), interrupted=st.booleans())
def test_whatever_happens_happens_again(
    bundled: ModelDirectory, babble: FloatArray, seed: int, rest: float, interrupted: bool
) -> None:
    """Chunks of any size, gaps, failures, previews left out, answers at any time, files cut at every rest."""
    chance = random.Random(seed)
    pause = np.zeros(12_000, np.float32)
    sound = np.concatenate([babble, pause, 0.5 * babble, babble, pause, pause, babble])
    source, options, backend = Chunks(sound, chance), RecognitionOptions(backend="toy"), Toy(bundled)

    async def run(record: tape.RecordingTape) -> None:
        scheduler = Chance(backend, chance)
        outlet = Outlet(record, chance)
        stream = make_stream(source, options, scheduler, outlet, bundled, tape=record)
        await stream.run()
        if interrupted:
            await stream.abandon(chance.random())
        else:
            await scheduler.finish(scheduler.queues[0])
        scheduler.close()

    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "AT_REST", rest)
        record = tape.RecordingTape(opening(source, options, bundled))
        asyncio.run(run(record))
        together = Player(bundled, lambda _: backend)
        for take in written(record, Path(directory)):
            assert take.whole
            for player in (together, Player(bundled, lambda _: backend)):  # with what came before, and without
                pairs = list(player.play(take))
                assert [pair for pair in pairs if not pair.same] == []


@pytest.mark.parametrize("name", ["fp16", pytest.param("torch", marks=pytest.mark.slow)])
def test_a_row_depends_on_how_many_there_are_and_not_on_what_they_hold(
    bundled: ModelDirectory, babble: FloatArray, name: str
) -> None:
    """PyTorch multiplies a batch in another order than a single row; so a replay batches as the daemon did."""
    backend = load(name, bundled)
    rows = np.stack([babble, 0.5 * babble, babble[::-1]])
    together = backend.logits(rows)
    for place, row in enumerate(rows):
        assert np.array_equal(backend.logits(np.stack([row] * len(rows)))[place], together[place])


@given(
    arrays.arrays(np.float32, st.integers(0, 400), elements=st.floats(width=32, allow_nan=True, allow_infinity=True))
)
def test_audio_comes_back_with_the_same_bits(pcm: FloatArray) -> None:
    assert packing.unpack(packing.pack(pcm), len(pcm)).tobytes() == pcm.tobytes()


@given(arrays.arrays(np.int16, st.integers(1, 5000)))
def test_16_bits_take_no_more_than_16_bits(whole: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> None:
    pcm = whole.astype(np.float32) / np.float32(32768)
    packed = packing.pack(pcm)
    assert packed[:1] == packing.FLAC
    assert packing.unpack(packed, len(pcm)).tobytes() == pcm.tobytes()


def heard(samples: int, seed: int = 0) -> Captured:
    noise = np.random.default_rng(seed).random(samples, np.float32)
    return Captured(0, samples, 0.0, 0, "", noise.tobytes())


def first(index: int, stream: str = "a") -> Begin:
    options = RecordedOptions.of(RecognitionOptions())
    return Begin("1", "d0", stream, True, index, 1e9 + index, True, None, options, "", {}, {})


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.integers(1, 90_000)), max_size=25))
def test_the_bound_holds_at_every_moment(steps: list[tuple[str, bool, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        kept = Ring(Path(directory), SMALLEST, 0)
        for index, (stream, fresh, samples) in enumerate(steps):
            records: list[AnyRecord] = [first(index, stream)] if fresh else []
            kept.write({stream: [*records, heard(samples, index)]})
            assert sum(path.stat().st_size for path in ring.files(Path(directory))) <= SMALLEST
        kept.close()
        assert sum(path.stat().st_size for path in ring.files(Path(directory))) <= SMALLEST


def test_the_oldest_goes_first_and_other_files_stay(tmp_path: Path) -> None:
    (directory := tmp_path / "tape").mkdir(mode=0o700)
    (directory / "report.asrd").write_bytes(b"mine")
    kept = Ring(directory, SMALLEST, 1.0)
    for index in range(8):
        kept.write({"a": [first(index), heard(60_000, index)]})
    names = [path.name for path in ring.files(directory)]
    assert len(names) < 8
    assert names[-1].endswith("-000007.asrd")
    assert (directory / "report.asrd").read_bytes() == b"mine"
    os.utime(directory / names[0], (0, 0))
    kept.write({"a": [heard(10)]})
    assert names[0] not in [path.name for path in ring.files(directory)]
    kept.close()


def test_nobody_else_can_hear_it(tmp_path: Path) -> None:
    kept = Ring(tmp_path / "new" / "tape", SMALLEST, 0)
    kept.write({"a": [first(0), heard(10)]})
    assert stat.S_IMODE((tmp_path / "new" / "tape").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new" / "tape").iterdir()} == {0o600}
    with pytest.raises(AsrdError, match="another daemon records"):
        Ring(tmp_path / "new" / "tape", SMALLEST, 0)
    kept.close()
    Ring(tmp_path / "new" / "tape", SMALLEST, 0).close()

    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open" / "file").touch()
    with pytest.raises(AsrdError, match=r"open to others.*; name a new directory"):  # it may be /tmp: do not close it
        Ring(tmp_path / "open", SMALLEST, 0)
    with pytest.raises(UsageError, match="at least 1 MB"):
        RecordingOptions(tmp_path, 1000)


async def test_a_full_disk_ends_the_recording_and_nothing_else(
    tmp_path: Path,
    sentences: list[FloatArray],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = Harness(tmp_path, record=RecordingOptions(tmp_path / "tape"))

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with harness.running() as daemon:
        monkeypatch.setattr("asrd.daemon.recorder.ring.os.write", full)
        await harness.play(sentences[1])
        await harness.until(lambda item: isinstance(item, Final))
        error = await harness.until(lambda item: isinstance(item, Error))
        assert "has ended: No space left on device; free space" in str(error)
        assert daemon.reporter.status().recording == ""
        await harness.play(sentences[2])
        await harness.until(lambda item: len(harness.of(Final)) == 2)
    assert len([item for item in harness.seen if isinstance(item, Error)]) == 1
    assert [record.message for record in caplog.records if "recording" in record.message][1:] == []


async def test_a_disk_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And costs no more memory than is allowed, nor the end of the daemon its time."""
    from threading import Event as Gate

    gate, told = Gate(), []
    monkeypatch.setattr("asrd.daemon.recorder.recorder.BEHIND", 10_000)
    monkeypatch.setattr("asrd.daemon.recorder.recorder.INTERVAL", 0)
    monkeypatch.setattr("asrd.daemon.recorder.ring.Ring.write", lambda *_: gate.wait(30))

    async def failed(why: str) -> None:
        told.append(why)

    recorder = Recorder(RecordingOptions(tmp_path / "tape"), "d0")
    running = asyncio.create_task(recorder.run(failed))
    while not told:
        recorder.said(DAEMON_STREAM, b"{}" * 100)
        await asyncio.sleep(0)
    assert recorder.directory == ""
    running.cancel()
    await recorder.close()
    gate.set()
    assert "the disk is too slow" in told[0]


@pytest.mark.parametrize("begun", [0, 5])
def test_a_file_for_which_the_disk_had_no_room_is_in_no_others_way(tmp_path: Path, begun: int) -> None:
    kept = Ring(tmp_path / "tape", SMALLEST, 0)
    kept.write({"a": [first(0), heard(10)]})
    kept.close()
    (tmp_path / "tape" / "20990101T000000000Z-d1-daemon-000000.asrd").write_bytes(blocks.MAGIC[:begun])
    assert [take.samples for take in takes(tmp_path / "tape")] == [10]

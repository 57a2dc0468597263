"""The flight recorder: whatever happened happens again, within its bound, and never at the pipeline's cost."""

import asyncio
import errno
import os
import random
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from asrd.backends import Backend, LoadOptions, load
from asrd.core import events
from asrd.core.errors import AsrdError, UsageError
from asrd.core.events import DAEMON_STREAM, Error, Event, Final
from asrd.core.flow import AudioChunk, FloatArray, Window
from asrd.core.units import Samples
from asrd.daemon.lane import Lane, Result
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognizer import recognize, silent
from asrd.daemon.recorder import audio, blocks, ring, tape
from asrd.daemon.recorder.options import SMALLEST, RecordingOptions
from asrd.daemon.recorder.recorder import Recorder
from asrd.daemon.recorder.records import AnyRecord, Begin, Heard
from asrd.daemon.recorder.replay import Player
from asrd.daemon.recorder.ring import Ring
from asrd.daemon.recorder.takes import takes
from asrd.daemon.scheduler import Scheduler
from asrd.daemon.sources.base import Source
from asrd.daemon.stream import make_stream
from asrd.models import ModelDirectory

from .conftest import Harness, drive


class Toy(Backend):
    """Answers at once: letters by loudness."""

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> "Toy":
        return cls(model)

    @property
    def arithmetic(self) -> str:
        return "f32"

    def _run(self, batch: FloatArray) -> FloatArray:
        stride, frames = self.model.geometry.stride, self.model.geometry.frames(batch.shape[1])
        loud = np.abs(batch[:, : frames * stride]).reshape(len(batch), frames, stride).mean(axis=2)
        labels = (loud * 40).astype(int) % len(self.model.vocabulary)
        return np.eye(len(self.model.vocabulary), dtype=np.float32)[labels] * 5


class Chunks(Source):
    """Speech-like sound and silence, in chunks of any size, with holes and interruptions."""

    def __init__(self, sound: FloatArray, chance: random.Random) -> None:
        super().__init__("a")
        self.live = chance.random() < 0.5
        self._sound = sound
        self._chance = chance

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        position = 0
        for _ in range(self._chance.randrange(2, 12)):
            size, event = self._chance.randrange(1, 30_000), self._chance.random()
            lost = self._chance.randrange(1, 9000) if event < 0.2 else 0
            reason = "lost" if lost else "unplugged" if event < 0.3 else ""
            begin = self._chance.randrange(len(self._sound) - size)
            yield AudioChunk(
                Samples(position + lost),
                self._sound[begin : begin + size],
                self._chance.random(),
                Samples(lost),
                reason,
            )
            position += lost + size
            await asyncio.sleep(0)
        if self._chance.random() < 0.2:
            raise AsrdError("it broke")


class Chance(Scheduler):
    """Windows wait, are left out, fail and are answered whenever chance wants it."""

    def __init__(self, backend: Backend, chance: random.Random) -> None:
        super().__init__("toy", backend)
        self._chance = chance
        self._waiting: list[Window] = []

    async def submit(self, lane: Lane, window: Window, *, settle: bool = False) -> None:
        if not window.provisional or self._chance.random() < 0.6:
            self._waiting.append(window)
        while self._waiting and (settle or self._chance.random() < 0.5):
            await self.answer(lane)

    async def answer(self, lane: Lane) -> None:
        window = self._waiting.pop(0)
        failure = "out of luck" if self._chance.random() < 0.1 else ""
        emission = silent(window, self.backend.model) if failure else recognize(self.backend, [window])[0]
        times = [self._chance.random() for _ in range(3)]
        await lane.deliver(Result(window, emission, "toy", *times, failure))

    async def finish(self, lane: Lane) -> None:
        while self._waiting:
            await self.answer(lane)


class Outlet:
    """What a publisher does, without sockets."""

    def __init__(self, record: tape.RecordingTape, chance: random.Random) -> None:
        self._record = record
        self._chance = chance
        self._seq = 0

    async def publish(self, event: Event, stream: str = DAEMON_STREAM) -> None:
        stamped = msgspec.structs.replace(event, seq=self._seq, stream=stream, time=self._chance.random())
        self._seq += 1
        self._record.said(events.encode(stamped))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), rest=st.sampled_from([-1.0, 1000.0]), interrupted=st.booleans())
def test_whatever_happens_happens_again(
    bundled: ModelDirectory, babble: FloatArray, seed: int, rest: float, interrupted: bool
) -> None:
    """Chunks of any size, gaps, failures, previews left out, answers at any time, files cut at every rest."""
    chance = random.Random(seed)
    pause = np.zeros(12_000, np.float32)
    sound = np.concatenate([babble, pause, 0.5 * babble, babble, pause, pause, babble])
    source, options, backend = Chunks(sound, chance), RecognitionOptions(backend="toy"), Toy(bundled)

    def begin(index: int, state: dict[str, object] | None) -> Begin:
        plain = msgspec.to_builtins(options)
        return Begin("1", "d0", "a", source.live, index, 1e9 + index, state, plain, str(bundled.path), {}, {})

    async def run(record: tape.RecordingTape) -> None:
        scheduler = Chance(backend, chance)
        outlet = Outlet(record, chance)
        stream = make_stream(source, options, scheduler, outlet, bundled, tape=record)
        await stream.run()
        if interrupted:
            await stream.abandon(chance.random())
        else:
            await scheduler.finish(scheduler.lanes[0])
        scheduler.close()

    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "AT_REST", rest)
        record = tape.RecordingTape(begin)
        asyncio.run(run(record))
        kept = Ring(Path(directory), 1 << 30, 0)
        kept.write({"a": record.take()})
        kept.close()
        together = Player(bundled, lambda _: backend)
        for take in takes(Path(directory)):
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
    assert audio.unpack(audio.pack(pcm), len(pcm)).tobytes() == pcm.tobytes()


@given(arrays.arrays(np.int16, st.integers(1, 5000)))
def test_16_bits_take_no_more_than_16_bits(whole: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> None:
    pcm = whole.astype(np.float32) / np.float32(32768)
    packed = audio.pack(pcm)
    assert packed[:1] == audio.FLAC
    assert audio.unpack(packed, len(pcm)).tobytes() == pcm.tobytes()


def heard(samples: int, seed: int = 0) -> Heard:
    noise = np.random.default_rng(seed).random(samples, np.float32)
    return Heard(0, samples, 0.0, 0, "", noise.tobytes())


def opening(index: int, stream: str = "a") -> Begin:
    return Begin("1", "d0", stream, True, index, 1e9 + index, {}, {}, "", {}, {})


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.integers(1, 90_000)), max_size=25))
def test_the_bound_holds_at_every_moment(steps: list[tuple[str, bool, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        kept = Ring(Path(directory), SMALLEST, 0)
        for index, (stream, fresh, samples) in enumerate(steps):
            records: list[AnyRecord] = [opening(index, stream)] if fresh else []
            kept.write({stream: [*records, heard(samples, index)]})
            assert sum(path.stat().st_size for path in ring.files(Path(directory))) <= SMALLEST
        kept.close()
        assert sum(path.stat().st_size for path in ring.files(Path(directory))) <= SMALLEST


def test_the_oldest_goes_first_and_other_files_stay(tmp_path: Path) -> None:
    (directory := tmp_path / "tape").mkdir(mode=0o700)
    (directory / "report.asrd").write_bytes(b"mine")
    kept = Ring(directory, SMALLEST, 1.0)
    for index in range(8):
        kept.write({"a": [opening(index), heard(60_000, index)]})
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
    kept.write({"a": [opening(0), heard(10)]})
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


def test_a_full_disk_ends_the_recording_and_nothing_else(
    tmp_path: Path,
    sentences: list[FloatArray],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = Harness(tmp_path, record=RecordingOptions(tmp_path / "tape"))

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def scenario() -> None:
        async with harness.running() as daemon:
            monkeypatch.setattr("asrd.daemon.recorder.ring.os.write", full)
            await harness.play(sentences[1])
            await harness.until(lambda item: isinstance(item, Final))
            error = await harness.until(lambda item: isinstance(item, Error))
            assert "has ended: No space left on device; free space" in str(error)
            assert daemon.herald.status().recording == ""
            await harness.play(sentences[2])
            await harness.until(lambda item: len(harness.of(Final)) == 2)

    drive(scenario())
    assert len([item for item in harness.seen if isinstance(item, Error)]) == 1
    assert [record.message for record in caplog.records if "recording" in record.message][1:] == []


def test_a_disk_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And costs no more memory than is allowed, nor the end of the daemon its time."""
    from threading import Event as Gate

    gate, told = Gate(), []
    monkeypatch.setattr("asrd.daemon.recorder.recorder.BEHIND", 10_000)
    monkeypatch.setattr("asrd.daemon.recorder.recorder.INTERVAL", 0)
    monkeypatch.setattr("asrd.daemon.recorder.ring.Ring.write", lambda *_: gate.wait(30))

    async def failed(why: str) -> None:
        told.append(why)

    async def scenario() -> None:
        recorder = Recorder(RecordingOptions(tmp_path / "tape"), "d0")
        running = asyncio.create_task(recorder.run(failed))
        while not told:
            recorder.said(DAEMON_STREAM, b"{}" * 100)
            await asyncio.sleep(0)
        assert recorder.directory == ""
        running.cancel()
        await recorder.close()
        gate.set()

    drive(scenario())
    assert "the disk is too slow" in told[0]


@pytest.mark.parametrize("begun", [0, 5])
def test_a_file_for_which_the_disk_had_no_room_is_in_no_others_way(tmp_path: Path, begun: int) -> None:
    kept = Ring(tmp_path / "tape", SMALLEST, 0)
    kept.write({"a": [msgspec.structs.replace(opening(0), state={}), heard(10)]})
    kept.close()
    (tmp_path / "tape" / "20990101T000000000Z-d1-daemon-000000.asrd").write_bytes(blocks.MAGIC[:begun])
    assert [take.samples for take in takes(tmp_path / "tape")] == [10]

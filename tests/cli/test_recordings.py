"""`asrd transcribe` takes recordings as people have them, and puts the text where it is wanted."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asrd.cli.bar import Bar
from asrd.cli.recordings import SUFFIXES, inputs
from asrd.cli.targets import targets, writing
from asrd.cli.transcribe import transcribe
from asrd.cli.turns import Turns
from asrd.clients import Style
from asrd.core.containers import container
from asrd.core.errors import AsrdError, AudioError, UsageError
from asrd.core.flow import FloatArray, Hypothesis, Word
from asrd.core.raw import RawPcm
from asrd.core.units import Samples, samples
from asrd.daemon.offline import Utterance
from asrd.models.speech import bundled

from .conftest import Run

CLIPS = [utterance.audio for utterance in bundled("real")[:2]]
TINY = ("transcribe", "--model", "asrd-tiny-en", "--raw")


def speech(clip: int) -> FloatArray:
    pcm: FloatArray = soundfile.read(CLIPS[clip], dtype="float32")[0]
    return pcm


def stereo(path: Path, left: FloatArray, right: FloatArray) -> Path:
    length = max(len(left), len(right))
    sides = [np.pad(side, (0, length - len(side))) for side in (left, right)]
    soundfile.write(path, np.stack(sides, axis=1), 16_000)
    return path


@pytest.fixture
def piped(environment: dict[str, str]) -> Run:
    """Run with a file on standard input."""

    def run(*arguments: str | Path, audio: Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "asrd.cli.main", *map(str, arguments)]
        with audio.open("rb") as file:
            return subprocess.run(command, env=environment, stdin=file, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def alone(run: Run) -> str:
    """What is heard in the first clip."""
    return str(run(*TINY, CLIPS[0]).stdout)


def test_a_recording_may_come_through_a_pipe(run: Run, piped: Run, alone: str, tmp_path: Path) -> None:
    assert len(alone.split()) > 5
    assert piped(*TINY, "-", audio=CLIPS[0]).stdout == alone
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(CLIPS[0].read_bytes()))
    writer.start()
    assert run(*TINY, pipe).stdout == alone
    writer.join(10)


@pytest.mark.parametrize(("encoding", "channels"), [("s16le", 2), ("s24le", 1), ("f32le", 1), ("s32le", 2)])
def test_raw_pcm_is_heard_with_its_form(
    tmp_path: Path, encoding: str, channels: int, capsys: pytest.CaptureFixture[str]
) -> None:
    pcm = np.repeat((speech(0) * 32_767).astype("<i2")[:, None], channels, axis=1)
    wide = (pcm.astype("<i4") << 16).tobytes()
    low = np.frombuffer(wide, np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    contents = {"s16le": pcm.tobytes(), "s24le": low, "s32le": wide, "f32le": (pcm / 32_768).astype("<f4").tobytes()}
    path = tmp_path / "a.pcm"
    path.write_bytes(contents[encoding])
    soundfile.write(tmp_path / "a.wav", pcm[:, 0], 16_000)
    options = ["--rate", "16000", "--encoding", encoding, "--pcm-channels", str(channels)]
    transcribe.main([str(path), *TINY[1:], *options], standalone_mode=False)
    heard = capsys.readouterr().out
    transcribe.main([str(tmp_path / "a.wav"), *TINY[1:]], standalone_mode=False)
    assert heard == capsys.readouterr().out
    assert len(heard.split()) > 5


def test_a_header_where_there_should_be_none_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(0), 16_000)
    [one] = inputs([tmp_path / "a.wav"], RawPcm(16_000))
    with pytest.raises(AsrdError, match=r"a\.wav is a WAV file, not raw PCM; leave out --rate"), one.recording():
        pass


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"RIFF\0\0\0\0WAVE", "a WAV file"),
        (b"\0\0\0\x20ftypM4A ", "an MP4 file"),
        (b"\x1aE\xdf\xa3\x01", "a Matroska or WebM file"),
        (b"OggS\0\x02", "an Ogg file"),
        (b"ID3\x04", "an MP3 file"),
        (b"fLaC", "a FLAC file"),
        (b"\0\0\xff\xff\x01\0", None),
        (b"", None),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert container(head) == kind


def test_speakers_on_channels_of_their_own_are_heard_apart(run: Run, alone: str, tmp_path: Path) -> None:
    call = stereo(tmp_path / "call.wav", speech(0), np.pad(speech(1), (8_000, 0)))
    turns = run(*TINY, "--channels", "each", call).stdout.splitlines()
    assert [turn[:3] for turn in turns] == ["1: ", "2: "]
    assert turns[0][3:] == alone.strip()
    assert run(*TINY, "--channels", "1", call).stdout == alone
    record = json.loads(run(*TINY, "--channels", "each", "--format", "json", call).stdout)
    assert {word["channel"] for word in record["words"]} == {1, 2}
    assert record["text"].startswith(alone.strip())
    missing = run(*TINY, "--channels", "3", call)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == f"asrd: {call} has no channel 3; it has 2 channels, the first is 1\n"


def test_a_channel_that_hums_does_not_drown_the_other(run: Run, alone: str, tmp_path: Path) -> None:
    time = np.arange(len(speech(0))) / 16_000
    hum = (0.5 * np.sin(2 * np.pi * 50 * time) + 0.2 * np.sin(2 * np.pi * 150 * time)).astype(np.float32)
    assert run(*TINY, stereo(tmp_path / "hum.wav", hum, speech(0))).stdout == alone


def test_floats_beyond_full_scale_are_scaled_and_told(run: Run, alone: str, tmp_path: Path) -> None:
    """Many a script saves 16-bit integers as floats."""
    path = tmp_path / "hot.wav"
    pcm = speech(0) / np.abs(speech(0)).max() * 20_000
    soundfile.write(path, pcm, 16_000, subtype="FLOAT")
    result = run(*TINY, path)
    assert result.stderr == f"asrd: {path} reaches 20000 times full scale; it is scaled down\n"
    assert result.returncode == 0
    assert len(set(alone.split()) & set(result.stdout.split())) > 5


def test_directories_are_heard_into_directories(run: Run, tmp_path: Path) -> None:
    talks, out = tmp_path / "talks", tmp_path / "out" / "srt"
    talks.mkdir()
    for name, clip in (("a.wav", 0), ("b.flac", 1)):
        soundfile.write(talks / name, speech(clip), 16_000)
    (talks / "bad.mp3").write_text("no sound", encoding="utf-8")
    (talks / "notes.txt").write_text("no recording", encoding="utf-8")
    result = run(*TINY, talks, "--format", "srt", "-o", out)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == f"asrd: 1 of 3 recordings failed: {talks}/bad.mp3"
    assert len(result.stderr.splitlines()) == 2
    assert sorted(path.name for path in out.iterdir()) == ["a.srt", "b.srt"]
    assert (out / "a.srt").read_text(encoding="utf-8") == run(*TINY, talks / "a.wav", "--format", "srt").stdout
    (out / "a.srt").write_text("mine", encoding="utf-8")
    (out / "b.srt").unlink()
    assert run(*TINY, talks, "--format", "srt", "-o", out, "--skip-existing").returncode == 1
    assert (out / "a.srt").read_text(encoding="utf-8") == "mine"
    assert (out / "b.srt").read_text(encoding="utf-8").startswith("1\n")


def named(*names: str, format_: str = "srt", out: str | None = None) -> list[str | None]:
    found = inputs([Path(name) for name in names])
    return [None if path is None else str(path) for path in targets(found, format_, out)]


def test_where_text_is_written(tmp_path: Path) -> None:
    assert named("x/a.wav") == [None]
    assert named("x/a.wav", "b.wav", format_="text") == [None, None]
    assert named("x/a.wav", "b.wav") == ["x/a.srt", "b.srt"]
    assert named("x/a.wav", "b.wav", out="out", format_="json") == ["out/a.json", "out/b.json"]
    assert named("x/a.wav", out="talk.srt") == ["talk.srt"]
    assert named("x/a.wav", out="new/") == ["new/a.srt"]
    assert named("x/a.wav", out=str(tmp_path)) == [f"{tmp_path}/a.srt"]
    assert named("-", out=f"{tmp_path}/") == [f"{tmp_path}/stdin.srt"]
    assert named("a.wav", "a.mp3", "b.wav") == ["a.wav.srt", "a.mp3.srt", "b.srt"]
    with pytest.raises(UsageError, match=r"2 recordings would be written to out/a\.wav\.srt"):
        named("x/a.wav", "y/a.wav", out="out")
    with pytest.raises(UsageError, match=r"standard input has no place for a file beside it"):
        named("a.wav", "-")
    (tmp_path / "a.wav").touch()
    with pytest.raises(UsageError, match=r"a\.wav is the recording itself"):
        named(f"{tmp_path}/a.wav", out=f"{tmp_path}/a.wav")


def test_what_is_interrupted_keeps_another_name(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    with pytest.raises(KeyboardInterrupt), writing(path) as put:  # noqa: PT012
        put("1\n")
        raise KeyboardInterrupt
    assert [(file.name, file.read_text(encoding="utf-8")) for file in tmp_path.iterdir()] == [("a.srt.part", "1\n")]
    with pytest.raises(AsrdError, match="damaged"), writing(path) as put:  # noqa: PT012
        put("2\n")
        raise AsrdError("damaged")
    assert [(file.name, file.read_text(encoding="utf-8")) for file in tmp_path.iterdir()] == [("a.srt", "2\n")]
    with writing(tmp_path / "nothing.srt"):
        pass
    assert not (tmp_path / "nothing.srt").exists()
    (tmp_path / "file").touch()
    unwritable = pytest.raises(AsrdError, match=r"cannot be written \(.*\); make room")
    with unwritable, writing(tmp_path / "file/a.srt") as put:
        put("3\n")


def test_a_directory_means_the_recordings_in_it(tmp_path: Path) -> None:
    for name in ("b.M4A", "a.wav", "notes.txt", "c.webm"):
        (tmp_path / name).touch()
    (tmp_path / "inner.wav").mkdir()
    assert [one.path.name for one in inputs([tmp_path])] == ["a.wav", "b.M4A", "c.webm"]
    assert all((suffix.startswith(".") and suffix.islower()) or suffix == ".3gp" for suffix in SUFFIXES)


def said(text: str, start: float) -> Utterance:
    at = samples(start)
    words = tuple(
        Word(word, Samples(at + n * 8000), Samples(at + n * 8000 + 6000), 1.0) for n, word in enumerate(text.split())
    )
    return Utterance(at, Samples(at + 16_000), Hypothesis(text, words), "silence")


@pytest.mark.parametrize(
    ("format_", "written"),
    [
        ("text", "2: Good night.\n1: Hello there.\n"),
        ("srt", "1\n00:00:01,000 --> 00:00:0*\n2: Good night.\n\n2\n00:00:05,000 --> 00:00:0*\n1: Hello there.\n\n"),
        ("vtt", "WEBVTT\n\n00:00:01.* --> *\n<v 2>Good night.\n\n00:00:05.000 --> 00:00:0*\n<v 1>Hello there.\n\n"),
    ],
)
def test_turns_are_in_order_with_their_channel(format_: str, written: str) -> None:
    texts: list[str] = []
    with Turns(texts.append, format_, Style()) as turns:
        turns.channel = 1
        turns.add(said("HELLO THERE", 5))
        turns.channel = 2
        turns.add(said("GOOD NIGHT", 1))
        assert texts == []
    assert fnmatchcase("".join(texts), written), texts


def test_one_channel_that_is_damaged_does_not_cost_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged(recording: object, *_: object) -> Iterator[Utterance]:
        channel = getattr(recording, "channel", 0)
        yield said("ONE" if channel == 1 else "TWO", channel)
        raise AudioError(f"damage {channel}")

    monkeypatch.setattr("asrd.daemon.offline.transcribe_file", damaged)
    call = stereo(tmp_path / "call.wav", speech(0), speech(1))
    code = transcribe.main([str(call), "--channels", "each", "--backend", "fp16"], standalone_mode=False)
    written = capsys.readouterr()
    assert (code, written.out, written.err) == (1, "1: One.\n2: Two.\n", "asrd: damage 1\n")


def test_the_bar_counts_all_recordings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    paths = []
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.zeros(32_000), 16_000)
        paths.append(tmp_path / name)
    with Bar(paths, printed=False) as bar:
        [task] = bar._bar.tasks
        assert task.total == 4
        bar.begin(paths[0])
        bar.begin(paths[1])
        bar.update(16_000)
        assert (task.description, task.completed) == ("b.wav", 3)

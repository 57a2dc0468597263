"""`asrd transcribe` and `asrd listen` support all formats and give the same text."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from asrd.cli.transcribe import transcribe
from asrd.core.flow import Hypothesis, Word
from asrd.core.units import Samples, samples
from asrd.daemon.offline import Utterance
from asrd.models.speech import bundled
from asrd.models.store import DEFAULT_MODEL

from .conftest import Run, Spawn

CLIPS = [utterance.audio for utterance in bundled("real")[:2]]


def test_text_and_json_agree_and_words_lie_within_the_file(run: Run) -> None:
    text, display = run("transcribe", "--raw", *CLIPS), run("transcribe", *CLIPS)
    records = [json.loads(line) for line in run("transcribe", "--format", "json", *CLIPS).stdout.splitlines()]
    assert text.returncode == 0
    lines = [f"{record['file']}: {record['text']}" for record in records]
    assert lines == text.stdout.splitlines()
    assert [f"{record['file']}: {record['display']}" for record in records] == display.stdout.splitlines()
    for clip, record in zip(CLIPS, records, strict=True):
        assert set(record) == {"file", "text", "display", "words", "duration", "backend", "model"}
        assert (record["file"], record["backend"], record["model"]) == (str(clip), "int8", DEFAULT_MODEL)
        assert record["duration"] == pytest.approx(soundfile.info(clip).duration, abs=1e-3)
        assert " ".join(word["word"] for word in record["words"]) == record["text"]
        ends = [0.0]
        for word in record["words"]:
            assert ends[-1] <= word["start"] < word["end"] <= record["duration"] + 0.1
            assert 0 <= word["confidence"] <= 1
            ends.append(word["start"])


@pytest.mark.parametrize(("format_", "point"), [("srt", ","), ("vtt", ".")])
def test_subtitles_are_well_formed(run: Run, format_: str, point: str) -> None:
    output = run("transcribe", "--format", format_, CLIPS[0]).stdout
    stamp = rf"(\d\d):(\d\d):(\d\d){re.escape(point)}(\d\d\d)"
    cues = re.findall(rf"{stamp} --> {stamp}\n(.+)", output)
    assert all(cue[:4] < cue[4:8] for cue in cues)
    assert cues[0][8][0].isupper()
    assert output.strip().endswith(".")
    assert output.startswith("WEBVTT\n\n" if format_ == "vtt" else "1\n")


def test_a_bad_file_does_not_cost_the_good_ones(run: Run, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"not audio at all")
    result = run("transcribe", tmp_path / "noise.wav", CLIPS[1], tmp_path / "missing.wav")
    assert result.returncode == 2  # the worst of 1 and 2
    assert len(result.stdout.splitlines()) == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["asrd"] * 3
    failed = f"{tmp_path / 'noise.wav'}, {tmp_path / 'missing.wav'}"
    assert result.stderr.splitlines()[-1] == f"asrd: 2 of 3 recordings failed: {failed}"
    assert result.stdout == f"{CLIPS[1]}: {run('transcribe', CLIPS[1]).stdout}"


def test_debug_shows_where_a_bad_file_failed_and_goes_on(run: Run, tmp_path: Path) -> None:
    result = run("--debug", "transcribe", tmp_path / "missing.wav", CLIPS[1])
    assert (result.returncode, "Traceback" in result.stderr) == (2, True)
    assert result.stdout == f"{CLIPS[1]}: {run('transcribe', CLIPS[1]).stdout}"


def test_text_reads_well_unless_it_shall_be_raw(run: Run) -> None:
    raw, text = (run("transcribe", *options, CLIPS[1]).stdout.strip() for options in (["--raw"], []))
    assert raw == raw.upper()
    assert text.replace(".", "").upper() == raw
    assert (text[0].isupper(), text[1:] != raw[1:], text[-1]) == (True, True, ".")


def test_silence_gives_no_text_and_a_hint(run: Run, tmp_path: Path) -> None:
    speech, rate = soundfile.read(CLIPS[0])
    soundfile.write(tmp_path / "cancels.wav", np.stack([speech, -speech], axis=1), rate)
    result = run("transcribe", tmp_path / "cancels.wav", CLIPS[1])
    assert (result.returncode, result.stdout.splitlines()[0]) == (0, f"{tmp_path}/cancels.wav:")
    hint = "is it silent, or do its channels cancel (see --channels)?"
    assert result.stderr == f"asrd: no speech was heard in {tmp_path}/cancels.wav; {hint}\n"


def test_the_daemon_says_the_same_as_transcribe(run: Run, spawn: Spawn, tmp_path: Path) -> None:
    """The text is the same through two processes, a socket and another sample rate."""
    daemon = spawn("start", "--source", f"a=pcm:ipc://{tmp_path}/a")
    listener = spawn("listen", "--once", "--format", "json", "--wait", "20")
    assert '"type":"' in listener.stdout.readline()
    sent = run("send", CLIPS[0], "--to", f"ipc://{tmp_path}/a", "--pace", "fast")
    assert sent.returncode == 0, sent.stderr
    finals = []
    for line in listener.stdout:
        event = json.loads(line)
        if event["type"] == "final":
            finals.append(event["text"])
            break
    run("stop")
    assert daemon.wait(10) == 0
    assert listener.wait(10) == 0
    assert finals == run("transcribe", "--raw", CLIPS[0]).stdout.splitlines()


def said(text: str, second: int) -> Utterance:
    start = samples(second)
    words = tuple(
        Word(word, Samples(start + n * 8000), Samples(start + n * 8000 + 6000), 1.0)
        for n, word in enumerate(text.split())
    )
    return Utterance(start, Samples(start + 32_000), Hypothesis(text, words), "silence")


@pytest.mark.parametrize(
    ("format_", "written"),
    [
        ("text", ["Hello there.", " Good night."]),
        ("srt", ["1\n00:00:01", "2\n00:00:05"]),
        ("vtt", ["WEBVTT\n\n00:00:01", "00:00:05"]),
        ("json", ["", ""]),
    ],
)
def test_what_was_heard_is_written_at_once_and_kept_when_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], format_: str, written: list[str]
) -> None:
    seen = []

    def interrupted(*_: object) -> Iterator[Utterance]:
        for utterance in said("HELLO THERE", 1), said("GOOD NIGHT", 5):
            yield utterance
            seen.append(capsys.readouterr().out)
        raise KeyboardInterrupt

    monkeypatch.setattr("asrd.daemon.offline.transcribe_file", interrupted)
    with pytest.raises(click.Abort):
        transcribe.main([str(CLIPS[0]), "--format", format_, "--backend", "fp16"], standalone_mode=False)
    assert [text[: len(start)] for text, start in zip(seen, written, strict=True)] == written
    rest = capsys.readouterr().out
    if format_ == "json":
        assert json.loads(rest)["text"] == "HELLO THERE GOOD NIGHT"
    else:
        assert rest == ("\n" if format_ == "text" else "")


def test_listening_where_nobody_speaks(run: Run) -> None:
    result = run("listen", "--wait", "0.3")
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"asrd: no daemon publishes at ipc://.*; start one with 'asrd start'\n", result.stderr)


def test_sending_where_nobody_listens(run: Run, tmp_path: Path) -> None:
    result = run("send", CLIPS[0], "--to", f"ipc://{tmp_path}/nobody")
    assert result.returncode == 1
    assert "nothing listens at" in result.stderr


def test_what_was_heard_before_the_damage_is_printed(run: Run, tmp_path: Path) -> None:
    whole = CLIPS[0].read_bytes()
    (tmp_path / "trunc.flac").write_bytes(whole[: len(whole) * 3 // 4])
    result = run("transcribe", tmp_path / "trunc.flac")
    assert result.returncode == 1
    assert len(result.stdout.split()) > 2
    assert (result.stderr.count("\n"), "trunc.flac" in result.stderr) == (1, True)

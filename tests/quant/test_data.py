"""Data sets in files and directories give the same clips in every form, and report what is wrong with them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asrd.core.errors import AudioError, UsageError
from asrd.core.flow import FloatArray
from asrd.models import speech
from asrd.quant.data import Clip, dataset, read


def summary(clips: list[Clip]) -> list[tuple[str, str, str]]:
    assert all(len(read(clip)) for clip in clips)
    return [(clip.id, clip.text, clip.speaker) for clip in clips]


def write(path: Path, pcm: FloatArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, pcm, 16_000)


def test_bundled_speech() -> None:
    clips = dataset("bundled")
    assert [clip.audio for clip in clips] == [utterance.audio for utterance in speech.bundled()]
    assert len({clip.id for clip in clips}) == len(clips)
    assert len({clip.speaker for clip in clips}) >= 5
    assert all(clip.speaker for clip in clips)


def test_a_manifest(tmp_path: Path, babble: FloatArray) -> None:
    for path in ("here.wav", "below/there.wav"):
        write(tmp_path / path, babble)
    rows = [
        {"audio": "below/there.wav", "text": "ONE", "speaker": "ann"},
        {"audio": "here.wav", "text": None},
        {"audio": str(tmp_path / "here.wav"), "text": "Three"},
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert summary(dataset(str(tmp_path / "m.jsonl"))) == [
        ("below/there.wav", "ONE", "ann"),
        ("here.wav", "", ""),
        ("here.wav", "Three", ""),
    ]


def test_a_librispeech_tree(tmp_path: Path, babble: FloatArray) -> None:
    for speaker, chapter, text in ((84, 121123, "GO"), (777, 126732, "A  B"), (84, 121550, "")):
        folder = tmp_path / "LibriSpeech" / "dev-clean" / str(speaker) / str(chapter)
        for number in (0, 1):
            write(folder / f"{speaker}-{chapter}-{number:04}.{('flac', 'wav')[number]}", babble)
        lines = [f"{speaker}-{chapter}-0000 {text}", f"{speaker}-{chapter}-0001 DO DO", ""]
        (folder / f"{speaker}-{chapter}.trans.txt").write_text("\n".join(lines), encoding="utf-8")
    assert summary(dataset(str(tmp_path))) == [
        ("777-126732-0000", "A  B", "777"),
        ("777-126732-0001", "DO DO", "777"),
        ("84-121123-0000", "GO", "84"),
        ("84-121123-0001", "DO DO", "84"),
        ("84-121550-0000", "", "84"),
        ("84-121550-0001", "DO DO", "84"),
    ]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_audiofolder_with_a_table(tmp_path: Path, babble: FloatArray, mark: str) -> None:
    write(tmp_path / "a" / "1.flac", babble)
    write(tmp_path / "2.ogg", babble)
    table = f'{mark}speaker_id,file_name,transcription\n7,a/1.flac,"Yes, ""sir"""\n,2.ogg,No\n'
    (tmp_path / "metadata.csv").write_text(table, encoding="utf-8")
    assert summary(dataset(str(tmp_path))) == [("a/1.flac", 'Yes, "sir"', "7"), ("2.ogg", "No", "")]


def test_an_audiofolder_with_json_lines(tmp_path: Path, babble: FloatArray) -> None:
    write(tmp_path / "1.wav", babble)
    (tmp_path / "metadata.jsonl").write_text(
        '{"file_name": "1.wav", "sentence": "Yes", "client_id": "x"}\n', encoding="utf-8"
    )
    assert summary(dataset(str(tmp_path))) == [("1.wav", "Yes", "x")]


def test_what_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data set 'libri'; give bundled, hf:"):
        dataset("libri")
    for spec in ("x" * 5000, "~nobody-of-this-name/speech", "\0"):
        with pytest.raises(UsageError, match=r"no data set '.*'; give bundled, hf:"):
            dataset(spec)
    with pytest.raises(UsageError, match="lists no speech: it has no table"):
        dataset(str(tmp_path))
    soundfile.write(tmp_path / "clip.wav", [0.5, -0.5] * 500, 16_000)
    with pytest.raises(AudioError, match=r"clip\.wav, line 1: cannot be read as text"):
        dataset(str(tmp_path / "clip.wav"))


def test_a_flac_whose_header_leaves_its_length_open(tmp_path: Path, babble: FloatArray) -> None:
    """Encoders that write into a pipe cannot go back and fill it in."""
    write(tmp_path / "whole.flac", babble)
    raw = bytearray((tmp_path / "whole.flac").read_bytes())
    raw[21] &= 0xF0  # the number of samples: 36 bits of the first metadata block
    raw[22:26] = bytes(4)
    (tmp_path / "open.flac").write_bytes(raw)
    whole, piped = (read(Clip(name, "A", tmp_path / f"{name}.flac")) for name in ("whole", "open"))
    assert len(whole) == len(babble)
    assert np.array_equal(whole, piped)


def test_a_long_clip_is_read_whole(tmp_path: Path) -> None:
    """It is longer than what is read at once."""
    pcm = np.random.default_rng(0).uniform(-0.5, 0.5, (1_100_000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", pcm, 16_000, subtype="FLOAT")
    assert np.allclose(read(Clip("long", "A", tmp_path / "long.wav")), pcm.mean(axis=1))

"""Clips are decoded, and unusable ones are skipped by name; a data set's fingerprint depends on its content."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asrd.core.errors import AudioError, UsageError
from asrd.quant.data import Clip, check, dataset, fingerprint, read


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "opus"])
@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
def test_audio_of_any_rate_and_kind_comes_out_as_16_khz_mono(tmp_path: Path, rate: int, suffix: str) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    stereo = np.stack([tone, np.zeros_like(tone)], axis=1)
    kind = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
    soundfile.write(tmp_path / f"a.{suffix}", stereo, rate, **kind)
    pcm = read(Clip("a", "A", tmp_path / f"a.{suffix}"))
    assert pcm.dtype == np.float32
    assert len(pcm) == pytest.approx(16_000, abs=2400)  # MP3 pads to whole frames
    spectrum = np.abs(np.fft.rfft(pcm[4000:12_000] * np.hanning(8000)))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=4)
    assert np.abs(pcm[4000:12_000]).max() == pytest.approx(0.5, abs=0.05)


def faulty(folder: Path) -> list[Clip]:
    """Make a clip for each fault that audio can have."""
    (folder / "text.wav").write_text("no audio", encoding="utf-8")
    (folder / "headless.raw").write_bytes(bytes(100))
    (folder / "nothing.wav").write_bytes(b"")
    (folder / "folder.wav").mkdir()
    soundfile.write(folder / "nan.wav", np.array([0.0, np.nan], np.float32), 16_000, subtype="FLOAT")
    soundfile.write(folder / "empty.wav", np.zeros(0, np.float32), 16_000)
    whole = folder / "whole.flac"
    soundfile.write(whole, np.random.default_rng(0).uniform(-1, 1, 20_000), 16_000)
    (folder / "torn.flac").write_bytes(whole.read_bytes()[:5000])
    names = (
        "text.wav",
        "headless.raw",
        "nothing.wav",
        "folder.wav",
        "nan.wav",
        "empty.wav",
        "torn.flac",
        "missing.wav",
    )
    return [Clip(name, "A", folder / name) for name in names]


def test_audio_that_cannot_be_read_is_named_in_one_line(tmp_path: Path) -> None:
    for clip in faulty(tmp_path):
        with pytest.raises(AudioError, match=rf"^{clip.id} .*[a-z]$"):
            read(clip)


def test_one_bad_clip_among_many_is_skipped_and_named(manifest: Path) -> None:
    good = dataset(str(manifest))
    (manifest.parent / "3.wav").write_bytes(b"RIFF")
    silent = replace(good[0], id="silent", text=" … ")
    seen = 0

    def advance() -> None:
        nonlocal seen
        seen += 1

    checked = check([*good[:5], silent, good[1], good[5]], advance)
    assert checked.clips == [clip for clip in good if clip.id != "3.wav"]
    assert checked.skipped == [
        ("3.wav", "cannot be read as audio; convert the file or leave it out (manifest.jsonl, line 4)"),
        ("silent", "no transcript (manifest.jsonl, line 1)"),
        ("1.wav", "listed twice (manifest.jsonl, line 2)"),
    ]
    assert seen == 8


def test_nothing_usable_is_an_error_that_says_why(tmp_path: Path) -> None:
    clips = faulty(tmp_path)
    with pytest.raises(UsageError, match=rf"none of the data set's {len(clips)} clips .*text\.wav: cannot be read"):
        check(clips)
    with pytest.raises(UsageError, match="the data set is empty"):
        check([])


def test_the_fingerprint_is_that_of_ids_texts_and_audio(manifest: Path) -> None:
    clips = dataset(str(manifest))
    first = fingerprint(clips)
    assert len(first) == 64
    assert fingerprint(dataset(str(manifest))) == first
    assert fingerprint([replace(clip, speaker="someone") for clip in clips]) == first
    assert fingerprint(clips[1:]) != first
    assert fingerprint(clips[::-1]) != first
    assert fingerprint([replace(clips[0], text="other"), *clips[1:]]) != first
    assert fingerprint([replace(clips[0], id="other"), *clips[1:]]) != first
    soundfile.write(manifest.parent / "0.wav", np.zeros(100), 16_000)
    assert fingerprint(clips) != first

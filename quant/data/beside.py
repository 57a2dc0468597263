"""Data sets without a table: transcripts in text files beside the audio."""

import os
from collections.abc import Iterator
from pathlib import Path

from asrd.core.errors import AudioError
from asrd.quant.data import lines
from asrd.quant.data.audio import SUFFIXES, is_file
from asrd.quant.data.clip import Clip


def chapters(path: Path) -> list[Clip]:
    """List the clips of LibriSpeech's tree: `SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`, at any depth, lists the clips
    beside it, one `SPEAKER-CHAPTER-NUMBER TEXT` per line. Raises AudioError if one cannot be read.
    """
    return [clip for transcripts in sorted(path.rglob("*.trans.txt")) for clip in _chapter(transcripts)]


def _chapter(transcripts: Path) -> Iterator[Clip]:
    """Yield the clips of a chapter. Missing audio is found out when it is read."""
    for number, name, text in lines.entries(transcripts):
        files = (transcripts.with_name(name + suffix) for suffix in SUFFIXES)
        audio = next(filter(is_file, files), transcripts.with_name(name + SUFFIXES[0]))
        yield Clip(name, text, audio, name.split("-")[0], where=f"{transcripts.name}, line {number}")


def pairs(path: Path) -> list[Clip]:
    """List the sound files at any depth, in order of their names, if one of them has its transcript in a `.txt` of the
    same name beside it.
    """
    files = [Path(folder, name) for folder, _, names in os.walk(path) for name in names if name[0] != "."]
    texts = {file.with_suffix(""): file for file in files if file.suffix.lower() == ".txt"}
    sounds = sorted(file for file in files if file.suffix.lower() in SUFFIXES)
    paired = any(sound.with_suffix("") in texts for sound in sounds)
    return [_pair(path, sound, texts.get(sound.with_suffix(""))) for sound in sounds] if paired else []


def _pair(path: Path, audio: Path, text: Path | None) -> Clip:
    """Return the clip of a sound file, or of what is wrong with its transcript."""
    name = audio.relative_to(path).as_posix()
    if text is None:
        return Clip(name, "", audio, fault=f"has no transcript: there is no {audio.stem}.txt beside it")
    try:
        return Clip(name, " ".join(lines.text(text).split()), audio)
    except AudioError as error:
        return Clip(name, "", audio, fault=f"has no transcript: {error}")

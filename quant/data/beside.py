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
    walked = ((Path(folder), set(names)) for folder, _, names in os.walk(path))
    listed = {
        folder / name: Path(name).with_suffix(".txt").name in names
        for folder, names in walked
        for name in names
        if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
    }
    return [_pair(path, audio, listed[audio]) for audio in sorted(listed)] if any(listed.values()) else []


def _pair(path: Path, audio: Path, transcribed: bool) -> Clip:
    """Return the clip of a sound file, or of what is wrong with its transcript."""
    name, beside = audio.relative_to(path).as_posix(), audio.with_suffix(".txt")
    if not transcribed:
        return Clip(name, "", audio, fault=f"has no transcript: there is no {beside.name} beside it")
    try:
        return Clip(name, " ".join(lines.text(beside).split()), audio)
    except AudioError as error:
        return Clip(name, "", audio, fault=f"has no transcript: {error}")

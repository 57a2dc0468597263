"""Open an audio file with the library that reads it best."""

import os
import stat
from pathlib import Path

from asrd.core.containers import HEAD
from asrd.core.errors import AudioError, UsageError
from asrd.core.raw import RawPcm
from asrd.daemon.sources import mp3, wav
from asrd.daemon.sources.reader import Reader
from asrd.daemon.sources.resample import check_rate
from asrd.daemon.sources.sound import SoundReader

_FOR_FFMPEG = (b"OggS", b"\x1aE\xdf\xa3", b"#!AMR", b"0&\xb2u", b"FLV\x01")
"""First bytes of formats that only FFmpeg reads, or that it reads better."""

_MPEG = (".mp1", ".mp2", ".mp3")
"""Ends of names for which libsndfile starts its MPEG decoder, which prints what it thinks of the file."""


def opened(path: Path, raw: RawPcm | None = None, name: str = "") -> Reader:
    """Open a file. raw: its form, if it has no header. name: what messages call it, the path if "".

    Raises UsageError if there is no such file, AudioError if it is not audio, or holds none.
    """
    name = name or str(path)
    look(path, name)
    try:
        reader = SoundReader(path, name, raw) if raw else _reader(path, name)
    except OSError as error:
        raise AudioError(f"{name} cannot be read ({error.strerror}); check the path") from error
    try:
        check_rate(reader.rate, name)
        if reader.length == 0:
            raise AudioError(f"{name} holds no audio (0 samples); record it again")
    except AudioError:
        reader.close()
        raise
    return reader


def _reader(path: Path, name: str) -> Reader:
    with path.open("rb") as file:
        head = file.read(HEAD)
    mpeg = path.suffix.lower() in _MPEG or mp3.starts(head)
    media = mpeg or head.startswith(_FOR_FFMPEG) or head[4:8] == b"ftyp"
    stale = not media and wav.stale(path)
    if not media and not stale:
        try:
            return SoundReader(path, name)
        except AudioError as error:
            unknown = error
    from asrd.daemon.sources.media import WHOLE_WAV, MediaReader  # FFmpeg takes a while to load

    if media:
        return MediaReader(path, name)
    if stale:
        return MediaReader(path, name, WHOLE_WAV)
    try:
        return MediaReader(path, name)
    except AudioError:
        raise unknown from None


def look(path: Path, name: str) -> None:
    """Raise UsageError or AudioError unless there is a file with contents; libraries have no messages for that."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"no such file: {name}; check the path") from error
    except OSError as error:
        raise AudioError(f"{name} cannot be read ({error.strerror}); check the path") from error
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{name} is a directory; name the files in it, as in {path / '*.wav'}")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{name} is not a file; name one, or pipe raw audio into 'asrd start --source pcm:-'")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{name} is not yours to read; ask its owner, or copy it")
    if found.st_size == 0:
        raise AudioError(f"{name} is empty (0 bytes); record it again")

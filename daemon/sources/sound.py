"""Read files with libsndfile, which is exact where samples are stored as they are: WAV, FLAC, AIFF, CAF and so on."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import soundfile

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.core.raw import RawPcm
from asrd.core.shell import quoted
from asrd.daemon.sources import wav
from asrd.daemon.sources.reader import SLACK, Reader, short, unreadable

_SUBTYPES = {
    "s16le": "PCM_16",
    "s24le": "PCM_24",
    "s32le": "PCM_32",
    "f32le": "FLOAT",
    "f64le": "DOUBLE",
    "u8": "PCM_U8",
    "ulaw": "ULAW",
    "alaw": "ALAW",
}

_FLOATING = ("FLOAT", "DOUBLE")

_UNKNOWN = 1 << 62
"""Frame count from which on libsndfile means "unknown"."""


class Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """A file read from beginning to end. After each read of a seekable file, soundfile seeks to the current position,
    which restarts an MP3 decoder: every block would begin with a glitch.
    """

    def seekable(self) -> bool:
        """Return False for every file."""
        return False


class SoundReader(Reader):
    """A file that libsndfile reads. raw: the form of a file without a header."""

    def __init__(self, path: Path, name: str, raw: RawPcm | None = None) -> None:
        """Raise AudioError if libsndfile does not know the format. name: of the file, for messages."""
        form = _form(raw) if raw else {}
        try:
            self._file = Sequential(os.fsencode(path), **form)  # soundfile itself accepts only names in UTF-8
        except TypeError as error:  # soundfile takes the suffix ".raw" for headerless data
            told = f"asrd transcribe --rate HZ {quoted(path)}, or asrd start --source 'pcm:-?rate=HZ' < {quoted(path)}"
            raise AudioError(f"{name} has no header to say its rate; give it: {told}") from error
        except (soundfile.SoundFileError, OSError) as error:
            raise unreadable(name, _reason(error)) from error
        if self._file.subtype.startswith("MPEG"):  # its decoder prints what it thinks of the file
            self._file.close()
            raise unreadable(name, "MPEG audio")
        self.rate, self.channels = self._file.samplerate, self._file.channels
        self.length = None if self._file.frames >= _UNKNOWN else self._file.frames / self.rate
        self.floating = self._file.subtype in _FLOATING
        self._path, self._name = path, name

    def blocks(self, frames: int) -> Iterator[FloatArray]:
        """Yield all frames. Raises AudioError at the first that is damaged, or if frames are missing at the end."""
        position = 0
        while len(pcm := self._read(frames, position)):
            position += len(pcm)
            yield pcm
        if self.length is not None:
            read, whole = position / self.rate, self.length / wav.share(self._path)
            if read + SLACK < whole:
                raise short(self._name, read, whole)

    def _read(self, frames: int, position: int) -> FloatArray:
        """Read the next frames. position: frames read before."""
        try:
            pcm: FloatArray = self._file.read(frames, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise unreadable(self._name, _reason(error), position / self.rate) from error
        return pcm

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _reason(error: Exception) -> str:
    """Return libsndfile's reason, which follows "Error opening 'path': " and may be empty."""
    return str(error).rpartition(": ")[2].strip().rstrip(".")


def _form(raw: RawPcm) -> dict[str, Any]:
    """Return soundfile's arguments for raw PCM."""
    subtype = _SUBTYPES[raw.encoding]
    return {"format": "RAW", "samplerate": raw.rate, "channels": raw.channels, "subtype": subtype}

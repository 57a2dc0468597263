"""Audio files, read with libsndfile: WAV, FLAC, Ogg, Opus, MP3, AIFF, CAF and similar formats."""

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal

import soundfile

from asrd.core.errors import AudioError, UsageError
from asrd.core.flow import AudioChunk, FloatArray
from asrd.core.pcm import first_invalid
from asrd.core.shell import quoted
from asrd.core.units import SAMPLE_RATE, Samples, seconds
from asrd.daemon.sources import wav
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.resample import Resampler, check_rate
from asrd.daemon.threads import Worker, in_thread, unless

Pace = Literal["realtime", "fast"]

BLOCK = {"realtime": 0.05, "fast": 1.0}
"""Seconds read at once: short enough to arrive as smoothly as from a microphone, or long enough to be fast."""


SLACK = 0.1
"""Seconds a whole file may fall short of its header: MP3 encoders and decoders count their padding differently."""

UNKNOWN = 1 << 62
"""Frame count from which on libsndfile means "unknown"."""


class Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """A file read from beginning to end. After each read of a seekable file, soundfile seeks to the current position,
    which restarts an MP3 decoder: every block would begin with a glitch.
    """

    def seekable(self) -> bool:
        """Return False for every file."""
        return False


def duration(path: Path) -> float:
    """Return the length in seconds. Raises as `read_blocks` does."""
    with _open(path) as file:
        return float(file.frames / file.samplerate)


def read_blocks(path: Path, block: float = BLOCK["fast"]) -> Iterator[FloatArray]:
    """Yield the file as mono float32 blocks `(n,)` at 16 kHz, read `block` seconds at a time.

    Memory does not grow with the file. Raises UsageError if there is no such file, AudioError if it is not audio, is
    empty or damaged, or holds samples that are not numbers.
    """
    with _open(path) as file:
        resampler = Resampler(file.samplerate)
        frames = max(1, round(block * file.samplerate))
        position = 0
        while len(pcm := _read(file, frames, path, position)):
            if (bad := first_invalid(pcm)) is not None:
                at = (position + bad) / file.samplerate
                raise AudioError(f"{path}: the sample at {at:.3f} s is not a number; export the file again as PCM")
            position += len(pcm)
            if len(converted := resampler.push(pcm)):
                yield converted
        if position == 0:
            raise AudioError(f"{path} holds no audio (0 samples); record it again")
        if len(tail := resampler.flush()):
            yield tail
        read, whole = position / file.samplerate, file.frames / file.samplerate / wav.share(path)
        if read + SLACK < whole and file.frames < UNKNOWN:
            raise AudioError(f"{path} ends after {read:.1f} s of {whole:.1f} s; it is damaged, copy it again")


def _open(path: Path) -> Sequential:
    _look(path)
    try:
        file = Sequential(os.fsencode(path))  # soundfile itself accepts only names in UTF-8
    except TypeError as error:  # soundfile takes the suffix ".raw" for headerless data
        pipe = "asrd start --source 'pcm:-?rate=HZ&channels=N'"
        raise AudioError(f"{path} has no header to say its rate; pipe it into {pipe}") from error
    except (soundfile.SoundFileError, OSError) as error:
        raise _unreadable(path, error) from error
    try:
        check_rate(file.samplerate, str(path))
        if file.frames == 0:
            raise AudioError(f"{path} holds no audio (0 samples); record it again")
    except AudioError:
        file.close()
        raise
    return file


def _look(path: Path) -> None:
    """Raise UsageError or AudioError unless there is a file with contents; libsndfile has no messages for that."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        stdin = "only 'asrd send -' and 'asrd start --source pcm:-' read standard input"
        raise UsageError(f"no such file: {path}; {stdin if str(path) == '-' else 'check the path'}") from error
    except OSError as error:
        raise AudioError(f"{path} cannot be read ({error.strerror}); check the path") from error
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{path} is a directory; name the files in it, as in {path / '*.wav'}")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path} is not a file; name one, or pipe raw audio into 'asrd start --source pcm:-'")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path} is not yours to read; ask its owner, or copy it")
    if found.st_size == 0:
        raise AudioError(f"{path} is empty (0 bytes); record it again")


def _read(file: Sequential, frames: int, path: Path, position: int) -> FloatArray:
    """Read the next frames. position: frames read before."""
    try:
        pcm: FloatArray = file.read(frames, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise _unreadable(path, error, position / file.samplerate) from error
    return pcm


def _unreadable(path: Path, error: Exception, after: float = 0.0) -> AudioError:
    """Return an error with libsndfile's reason, which follows "Error opening 'path': " and may be empty. after:
    seconds that could be read.
    """
    reason = str(error).rpartition(": ")[2].strip().rstrip(".") or "damaged header"
    if after:
        return AudioError(f"{path} cannot be read after {after:.1f} s ({reason}); it is damaged, copy it again")
    return AudioError(f"{path} cannot be read as audio ({reason}); convert it: ffmpeg -i {quoted(path)} out.wav")


class FileSource(Source):
    """Play a file into a stream, in real time or as fast as it can be read."""

    kind = "file"

    def __init__(self, stream: str, path: Path, pace: Pace = "realtime") -> None:
        super().__init__(stream)
        self.path = path
        self.pace = pace
        self._closed = asyncio.Event()

    async def open(self) -> None:
        """Check the file. Raises UsageError if there is none, AudioError if it cannot be played."""
        await in_thread(duration, self.path)

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield the file once. In real time, each chunk comes when its last sample would have been captured."""
        blocks, reader = read_blocks(self.path, BLOCK[self.pace]), Worker("file")
        began, wall, position = time.monotonic(), time.time(), 0
        try:
            while (block := await unless(self._closed, reader.run(next, blocks, None))) is not None:
                end = position + len(block)
                captured = time.time()
                if self.pace == "realtime":
                    # Deadlines count from the beginning, so that delays never add up.
                    await self._pause(began + end / SAMPLE_RATE - time.monotonic())
                    captured = wall + seconds(end)
                if self._closed.is_set():
                    return
                yield AudioChunk(Samples(position), block, captured)
                position = end
        finally:
            reader.close(blocks.close)  # type: ignore[attr-defined]

    async def _pause(self, duration: float) -> None:
        """Wait, but not once closed."""
        if duration > 0:
            try:
                await asyncio.wait_for(self._closed.wait(), duration)
            except TimeoutError:
                return

    async def close(self) -> None:
        """End `chunks`; the file is closed as soon as it is not being read."""
        self._closed.set()

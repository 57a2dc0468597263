"""Read files with FFmpeg: what is compressed, or lies in a container with other things."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.daemon.sources import mp3, ogg
from asrd.daemon.sources.reader import SLACK, Reader, short, unreadable
from asrd.daemon.sources.track import TIMED, Track

DECLARING = (*TIMED, "wav", "w64", "wv", "tta", "caf", "ape", "aiff")
"""Formats whose header holds the length. Of others FFmpeg guesses it from the size of the file."""

ALONE = {"protocol_whitelist": "none"}
"""Options that keep a file from naming other files and addresses to read, as a playlist does."""

WHOLE_WAV = {"ignore_length": "1"}
"""Options to read a WAV file to its end, whatever length it declares."""


class MediaReader(Reader):
    """The first audio track of a file that FFmpeg reads. options: of its demuxer."""

    def __init__(self, path: Path, name: str, options: dict[str, str] | None = None) -> None:
        """Raise AudioError if FFmpeg does not know the format, or there is no audio in it. name: for messages."""
        self._path, self._name = path, name
        self._file = path.open("rb")
        try:
            container = av.open(self._file, "r", metadata_errors="ignore", options=ALONE | (options or {}))
        except (av.FFmpegError, ValueError) as error:
            self._file.close()
            raise unreadable(name, "unknown format, or its index is missing") from error
        self._container, self._format = container, container.format.name.partition(",")[0]
        try:
            self._track = Track(container, name)
            self._frames = self._track.frames()
            if (first := next(self._frames, None)) is None:
                raise AudioError(f"{name} holds no audio that can be decoded; is it whole?")
        except BaseException:
            self.close()
            raise
        self._first = first
        self.rate, self.channels, self.floating = self._track.rate, self._track.channels, self._track.floating
        self.length = self._track.length or (container.duration or 0) / av.time_base or None

    def blocks(self, frames: int) -> Iterator[FloatArray]:
        """Yield all frames. What cannot be decoded is left out, or silent where the container says how long it is; it
        is told at the end.
        """
        held, count = [self._first], len(self._first)
        for block in self._frames:
            if count >= frames:
                yield np.concatenate(held)
                held, count = [], 0
            held.append(block)
            count += len(block)
        yield np.concatenate(held)
        if damage := self._damage():
            raise damage
        if (track := self._track).silent > SLACK:
            where = f"{track.silent:.1f} s, from {track.silent_at:.1f} s on"
            self.note = f"{self._name} holds no audio for {where}; silence takes its place"

    def _damage(self) -> AudioError | None:
        """Return the error for audio that is there, or should be, and was not read."""
        track, read = self._track, self._track.position / self.rate
        if track.lost > SLACK:
            where = f"{track.lost:.1f} s of it, from {track.lost_at:.1f} s on"
            return AudioError(f"{self._name} is damaged: {where}, cannot be decoded; copy it again")
        if self._format == "ogg":
            return self._missing_pages(read)
        if self._format == "mp3":
            whole = mp3.declared(self._path)
            return short(self._name, read, whole) if read + SLACK < whole else None
        if self._format in DECLARING:
            heard, whole = read if track.length else max(read, track.ends), self.length or 0.0
            return short(self._name, heard, whole) if heard + SLACK < whole else None
        rest = self._path.stat().st_size - track.bytes_seen
        return unreadable(self._name, f"{rest} bytes", read) if rest * read > SLACK * track.bytes_seen else None

    def _missing_pages(self, read: float) -> AudioError | None:
        pages = ogg.scan(self._path)
        if (missing := pages.seconds - read) > SLACK:
            if pages.hole is None:
                return short(self._name, read, pages.seconds)
            where = f"{missing:.1f} s of it, after {pages.hole:.1f} s"
            return AudioError(f"{self._name} is damaged: {where}, are missing; copy it again")
        if pages.cut:
            return AudioError(f"{self._name} breaks off after {read:.1f} s, in the middle of a page; copy it again")
        if not pages.ended:
            self.note = f"{self._name} has no mark at its end, at {read:.1f} s; more may have been there"
        return None

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

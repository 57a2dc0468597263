"""Read files with FFmpeg: what is compressed, or lies in a container with other things."""

import logging
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

log = logging.getLogger(__name__)


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
        self._complain()

    def _complain(self) -> None:
        """Raise AudioError for audio that is there, or should be, and was not read. Log where there is none."""
        track, read = self._track, self._track.position / self.rate
        if track.lost > SLACK:
            where = f"{track.lost:.1f} s of it, from {track.lost_at:.1f} s on"
            raise AudioError(f"{self._name} is damaged: {where}, cannot be decoded; copy it again")
        if self._format == "ogg":
            pages = ogg.scan(self._path)
            if read + SLACK < pages.seconds:
                raise short(self._name, read, pages.seconds)
            if pages.hole is not None:
                raise AudioError(f"{self._name} is damaged: pages are missing after {pages.hole:.1f} s; copy it again")
            if pages.cut:
                raise AudioError(f"{self._name} breaks off after {read:.1f} s, in the middle of a page; copy it again")
            if not pages.ended:
                log.warning("%s has no mark at its end, at %.1f s; more may have been there", self._name, read)
        elif self._format == "mp3":
            if read + SLACK < (declared := mp3.declared(self._path)):
                raise short(self._name, read, declared)
        elif self._format in DECLARING:
            heard = read if track.length else max(read, track.ends)
            if heard + SLACK < (self.length or 0.0):
                raise short(self._name, heard, self.length or 0.0)
        elif (rest := self._path.stat().st_size - track.bytes_seen) > SLACK * track.bytes_seen / read:
            raise unreadable(self._name, f"{rest} bytes", read)
        if track.silent > SLACK:
            where = f"{track.silent:.1f} s, from {track.silent_at:.1f} s on"
            log.warning("%s holds no audio for %s; silence takes its place", self._name, where)

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

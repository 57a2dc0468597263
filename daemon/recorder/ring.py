"""The files of a recording's directory: about a minute each, the oldest deleted when the limit is reached.

All of this runs in the recorder's own thread, except opening it.
"""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asrd.daemon.recorder import blocks, place
from asrd.daemon.recorder.records import AnyRecord, Begin, Closed

NAME = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]+-[A-Za-z0-9_-]+-\d{6}\.asrd")
"""Names of the files that the recorder may delete: their order is the order in time."""


@dataclass(slots=True)
class _Open:
    path: Path
    descriptor: int


class Ring:
    """Keep at most `limit` bytes, and nothing older than `hours`."""

    def __init__(self, directory: Path, limit: int, hours: float) -> None:
        """Reserve the directory. Raises AsrdError if that is impossible."""
        self.directory = directory.expanduser().absolute()
        self._limit, self._hours = limit, hours
        self._lock = place.take(self.directory)
        self._kept = {path: path.stat().st_size for path in files(self.directory)}
        self._bytes = sum(self._kept.values())
        self._open: dict[str, _Open] = {}

    def write(self, records: dict[str, Sequence[AnyRecord]]) -> None:
        """Append the records of each stream's tape. Raises OSError if the disk fails."""
        for stream, tape in records.items():
            first = 0
            for index, record in enumerate(tape):
                if isinstance(record, Begin):
                    self._append(stream, tape[first:index])
                    self._begin(stream, record)
                    first = index
            if tape and isinstance(tape[-1], Closed):
                self._append(stream, tape[first:-1])
                self._finish(stream)
            else:
                self._append(stream, tape[first:])
        self._expire()

    def close(self) -> None:
        """Finish every file and release the directory."""
        try:
            for stream in list(self._open):
                self._finish(stream)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Release everything as it is."""
        for file in self._open.values():
            os.close(file.descriptor)
        self._open.clear()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _begin(self, stream: str, begin: Begin) -> None:
        self._finish(stream)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(begin.time)) + f"{int(begin.time % 1 * 1000):03d}Z"
        path = self.directory / f"{stamp}-{begin.daemon}-{stream}-{begin.index:06d}.asrd"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._open[stream] = _Open(path, descriptor)
        self._kept[path] = 0
        self._put(stream, blocks.MAGIC)

    def _append(self, stream: str, records: Sequence[AnyRecord]) -> None:
        if records and stream in self._open:
            self._put(stream, blocks.pack(records))

    def _finish(self, stream: str) -> None:
        if stream in self._open:
            self._append(stream, [Closed()])
            os.close(self._open.pop(stream).descriptor)

    def _put(self, stream: str, data: bytes) -> None:
        self._make_room(len(data))
        if stream not in self._open:  # its file alone filled the directory
            return
        file, left = self._open[stream], memoryview(data)
        while left:
            left = left[os.write(file.descriptor, left) :]
        self._bytes += len(data)
        self._kept[file.path] += len(data)

    def _make_room(self, needed: int) -> None:
        while self._kept and self._bytes + needed > self._limit:
            self._delete_oldest()

    def _expire(self) -> None:
        bound = time.time() - 3600 * self._hours
        while self._hours and self._kept and _modified(next(iter(self._kept))) < bound:
            self._delete_oldest()

    def _delete_oldest(self) -> None:
        """Delete the oldest file, even while it is being written, which happens only if the limit is a few files: its
        stream is then not recorded until its next file begins.
        """
        path = next(iter(self._kept))
        for stream, file in list(self._open.items()):
            if file.path == path:
                os.close(self._open.pop(stream).descriptor)
        path.unlink(missing_ok=True)
        self._bytes -= self._kept.pop(path)


def files(directory: Path) -> list[Path]:
    """Return the recorder's own files in a directory, the oldest first."""
    return sorted(path for path in directory.iterdir() if NAME.fullmatch(path.name))


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # deleted by someone else
        return 0.0

"""Read the pages of an Ogg file, which say how long it is and whether its end is there; FFmpeg does not tell."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PAGE = struct.Struct("<4sBBqIII B")
_FIRST, _LAST = 2, 4
_RATES = {b"\x01vorbis": 12, b"Speex   ": 36}
"""Codecs, and where the first packet of each holds the rate of its positions."""


@dataclass(slots=True)
class _Link:
    """A stream in the chain. rate: of its positions, in Hz. page: number of the last page. first, last: positions at
    which the audio begins, which is not 0 if a broadcast was joined, and ends.
    """

    rate: int
    page: int
    first: int = 0
    last: int = 0

    @property
    def seconds(self) -> float:
        return (self.last - self.first) / self.rate


@dataclass(slots=True)
class Pages:
    """What the pages say. seconds: of audio there were, at least. hole: seconds at which the first damage was;
    None if there is none. cut: whether the last page is not whole. ended: whether it is marked as the last.
    """

    seconds: float = 0.0
    hole: float | None = None
    cut: bool = False
    ended: bool = False


def scan(path: Path) -> Pages:
    """Read the headers of all pages. Raises OSError if the file cannot be read."""
    pages, links = Pages(), dict[int, _Link]()
    at, size, damaged = 0, path.stat().st_size, False
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(_PAGE.size).ljust(_PAGE.size, b"\0")
            mark, _, flags, position, serial, number, _, segments = _PAGE.unpack(head)
            if mark != b"OggS":
                if (at := _next(file, at + 1)) < 0:
                    break
                damaged = True
                continue
            length = sum(file.read(segments))
            if flags & _FIRST and (rate := _rate(file.read(64))):
                pages.seconds += links[serial].seconds if serial in links else 0.0
                links[serial] = _Link(rate, number)
            at += _PAGE.size + segments + length
            if link := links.get(serial):
                follows = number <= link.page + 1 and not damaged
                if not follows and link.last and pages.hole is None:
                    pages.hole = pages.seconds + link.seconds
                if position > 0:
                    link.first = link.first if follows or link.last else position
                    link.last = position
                link.page, damaged = number, False
                pages.cut, pages.ended = at > size, bool(flags & _LAST)
    pages.seconds += sum(link.seconds for link in links.values())
    return pages


def _rate(packet: bytes) -> int:
    """Return the rate of the positions of an audio codec, given the beginning of its first packet; 0 for others."""
    if packet.startswith(b"OpusHead"):
        return 48_000
    if packet.startswith(b"\x7fFLAC"):
        return int.from_bytes(packet[27:30], "big") >> 4
    return next(
        (int.from_bytes(packet[at : at + 4], "little") for key, at in _RATES.items() if packet.startswith(key)), 0
    )


def _next(file: BinaryIO, at: int) -> int:
    """Return where the next page begins, -1 if there is none."""
    file.seek(at)
    while block := file.read(1 << 16):
        if (found := block.find(b"OggS")) >= 0:
            return at + found
        at += max(1, len(block) - 3)
        file.seek(at)
        if len(block) < 4:
            break
    return -1

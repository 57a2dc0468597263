"""Read the length that a WAV file declares; libsndfile silently corrects it if the file is shorter, and believes it if
the file is longer.
"""

import os
import struct
from pathlib import Path

UNTOLD = 0x7FFF_F000
"""Size in bytes from which on a declared size means nothing: a program writing into a pipe cannot know it, and puts
the largest possible.
"""

_STRAY = 1024
"""Bytes that may follow the chunks of a file and are nothing: less than a word."""


def share(path: Path) -> float:
    """Return the share of its declared audio that a file holds, from 0 to 1; 1 if unknown, as for other formats."""
    declared, there, _ = _data(path)
    return min(1.0, there / declared) if 0 < declared < UNTOLD else 1.0


def stale(path: Path) -> bool:
    """Return whether audio lies behind what the header declares: a recorder that crashed did not update it."""
    declared, _, stray = _data(path)
    return declared > 0 and stray


def _data(path: Path) -> tuple[int, int, bool]:
    """Return the bytes of audio that a WAV file declares, those that follow in it, and whether they go on with anything
    but chunks behind the declared ones. Zeros for other files.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if (opening := file.read(12))[:4] != b"RIFF" or opening[8:] != b"WAVE":
            return 0, 0, False
        declared = there = 0
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if there and size - file.tell() > _STRAY and (not _is_chunk(name) or file.tell() + length > size):
                return declared, there, True
            if name == b"data" and not there:
                declared, there = length, size - file.tell()
            file.seek(length + length % 2, os.SEEK_CUR)
        return declared, there, False


def _is_chunk(name: bytes) -> bool:
    """Return whether a chunk may have this name. A second file that was joined to the first begins with RIFF."""
    return name != b"RIFF" and name.isascii() and name.decode("ascii").isprintable()

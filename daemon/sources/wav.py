"""Read the length that a WAV file declares; libsndfile silently corrects it if the file is shorter."""

import os
import struct
from pathlib import Path

UNTOLD = 0x7FFF_F000
"""Size in bytes from which on a declared size means nothing: a program writing into a pipe cannot know it, and puts
the largest possible.
"""


def share(path: Path) -> float:
    """Return the share of its declared audio that a file holds, from 0 to 1; 1 if unknown, as for other formats."""
    with path.open("rb") as file:
        if (opening := file.read(12))[:4] != b"RIFF" or opening[8:] != b"WAVE":
            return 1.0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                there = path.stat().st_size - file.tell()
                return min(1.0, there / size) if 0 < size < UNTOLD else 1.0
            file.seek(size + size % 2, os.SEEK_CUR)
    return 1.0

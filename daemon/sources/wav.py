"""What a WAV file says of its own length, which libsndfile corrects without a word where less is there."""

import os
import struct
from pathlib import Path

UNTOLD = 0x7FFF_F000
"""Bytes from which on a size is no size: who writes into a pipe cannot know it, and puts the largest there is."""


def share(path: Path) -> float:
    """How much of its audio a file holds, from 0 to 1; 1 where that cannot be told, as of other files."""
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

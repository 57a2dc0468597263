"""Read the headers of MPEG audio: whether bytes are such a file, and the length that one declares."""

from dataclasses import dataclass
from pathlib import Path

_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s, by version (2 is 2.5, too) and layer."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The header of a frame. rate: Hz. samples: in the frame, of each channel. size: bytes."""

    rate: int
    samples: int
    size: int


def frame(head: bytes) -> Frame | None:
    """Return what the four bytes of a header say; None if they are none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    kind, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if kind == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    version = 1 if kind == 3 else 2
    hertz = (44_100, 48_000, 32_000)[rate] >> {3: 0, 2: 1, 0: 2}[kind]
    samples = {1: 384, 2: 1152, 3: 1152 if version == 1 else 576}[layer]
    slot = 4 if layer == 1 else 1
    size = (samples // 8 * _BITRATES[version, layer][bits - 1] * 1000 // hertz // slot + padding) * slot
    return Frame(hertz, samples, size)


def starts(head: bytes) -> bool:
    """Return whether `head` begins a file of MPEG audio: one frame follows another, or there is an ID3 tag."""
    first = frame(head)
    return head.startswith(b"ID3") or (first is not None and frame(head[first.size : first.size + 4]) is not None)


def declared(path: Path) -> float:
    """Return the seconds of audio that a file declares in its first frame (Xing, Info, VBRI); 0 if it does not."""
    with path.open("rb") as file:
        tag = file.read(10)
        at = 10 + sum(byte << 7 * (3 - n) for n, byte in enumerate(tag[6:10])) if tag.startswith(b"ID3") else 0
        file.seek(at)
        head = file.read(64)
    if (first := frame(head)) is None:
        return 0.0
    for mark, offset in ((b"Xing", 8), (b"Info", 8), (b"VBRI", 14)):
        if (found := head.find(mark)) >= 0:
            count = int.from_bytes(head[found + offset : found + offset + 4], "big")
            has_count = mark == b"VBRI" or head[found + 7] & 1
            return count * first.samples / first.rate if has_count else 0.0
    return 0.0

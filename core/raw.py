"""The form of raw PCM: audio in a file or a pipe, without a header that says what it is."""

from dataclasses import dataclass
from typing import Literal, get_args

Encoding = Literal["s16le", "s24le", "s32le", "f32le", "f64le", "u8", "ulaw", "alaw"]

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
"""Ways to write samples: signed integers, floats or unsigned integers, their bits, and little-endian; and G.711."""


@dataclass(frozen=True, slots=True)
class RawPcm:
    """How raw PCM is to be read. rate: Hz. channels: how many, interleaved."""

    rate: int
    channels: int = 1
    encoding: Encoding = "s16le"

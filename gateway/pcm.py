"""Samples of audio in the forms in which clients send them."""

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from asrd.daemon.sources.fed import Samples

Encoding = Literal["s16le", "f32le", "ulaw", "alaw"]

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
"""Signed integers of 16 bits, floats of full scale 1, and G.711."""


def _ulaw() -> npt.NDArray[np.int16]:
    """Return the samples of all bytes of G.711 µ-law."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _alaw() -> npt.NDArray[np.int16]:
    """Return the samples of all bytes of G.711 A-law."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    step = ((code & 0x0F) << 4) + 8
    size = np.where(segment > 0, step + 0x100 << np.maximum(segment - 1, 0), step)
    return np.where(code & 0x80, size, -size).astype(np.int16)


KINDS: dict[Encoding, np.dtype[Any]] = {
    "s16le": np.dtype("<i2"),
    "f32le": np.dtype("<f4"),
    "ulaw": np.dtype(np.uint8),
    "alaw": np.dtype(np.uint8),
}

TABLES: dict[Encoding, npt.NDArray[np.int16]] = {"ulaw": _ulaw(), "alaw": _alaw()}


class Unpacker:
    """Turn bytes into samples; messages may end in the middle of a frame."""

    def __init__(self, encoding: Encoding, channels: int = 1) -> None:
        self._encoding, self._channels = encoding, channels
        self._rest = b""

    def push(self, data: bytes) -> Samples:
        """Return the whole frames there are now, `(frames, channels)`: floats, or integers of 16 bits."""
        kind = KINDS[self._encoding]
        data = self._rest + data
        whole = len(data) - len(data) % (kind.itemsize * self._channels)
        self._rest = data[whole:]
        samples: Samples = np.frombuffer(data[:whole], kind).reshape(-1, self._channels)
        table = TABLES.get(self._encoding)
        return samples if table is None else table[samples]

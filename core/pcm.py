"""The network format of PCM: the sample formats, and the header that goes before each message.

A sender of audio pushes two-part messages over ZeroMQ (PUSH to PULL): a `PcmHeader` in JSON, then the samples,
interleaved by channel. This page is all that it needs to know of asrd.
"""

from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from asrd.core.flow import FloatArray

SCHEMA: Literal[1] = 1
"""Version of `PcmHeader`; a receiver refuses versions that it does not know."""

MIN_RATE, MAX_RATE = 1_000, 384_000
"""Hz. Below the first there is no speech left; above the second no sound card is sold."""

MAX_CHANNELS = 1_024
"""The most that libsndfile reads."""

PcmFormat = Literal["s16le", "s24le", "s32le", "f32le"]

FORMATS: dict[PcmFormat, np.dtype[Any]] = {
    "s16le": np.dtype("<i2"),
    "s24le": np.dtype("V3"),  # numpy has no such numbers
    "s32le": np.dtype("<i4"),
    "f32le": np.dtype("<f4"),
}
"""Signed integers of 16, 24 and 32 bits, and floats (full scale 1), all little-endian; 24 bits are 3 bytes."""

MAX_POSITION = 2**53
"""The largest integer every JSON reader keeps exactly; 18 000 years at 16 kHz."""


class PcmHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The first part of a message; the second is a whole number of frames, possibly none.

    session: any name that no other sender has; a receiver hears one session at a time.
    position: frames of this session before this message, at the sender's rate. If it runs ahead
        of what was sent, the frames between were lost on the way or at the microphone.
    captured: wall-clock seconds (Unix time) at which the last frame was captured.
    end: nothing follows; the receiver is free for the next session.
    again: this was sent before, and perhaps heard: frames that were are ignored.
    length: frames of the whole session, where they are known. What is missing at its end is then named as a gap, even
        if the sender is gone before its last messages have arrived. A status tells how much was received.
    waits: this may be heard late, while another session is. Of any other, what would be heard much later is dropped.
    """

    session: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    rate: Annotated[int, msgspec.Meta(ge=MIN_RATE, le=MAX_RATE)]
    channels: Annotated[int, msgspec.Meta(ge=1, le=MAX_CHANNELS)]
    format: PcmFormat
    position: Annotated[int, msgspec.Meta(ge=0, le=MAX_POSITION)]
    captured: float
    end: bool = False
    again: bool = False
    length: Annotated[int, msgspec.Meta(ge=0, le=MAX_POSITION)] | None = None
    waits: bool = False
    schema: Literal[1] = SCHEMA


def decode(data: bytes, sample_format: PcmFormat, channels: int) -> FloatArray:
    """Convert bytes to float32 samples `(frames, channels)`, full scale 1.

    Raises ValueError when `data` is not a whole number of frames, or a sample is not a number.
    """
    dtype = FORMATS[sample_format]
    if len(data) % (dtype.itemsize * channels):
        raise ValueError(f"{len(data)} bytes are not a whole number of frames of {channels} x {sample_format}")
    numbers = _widened(data) if sample_format == "s24le" else np.frombuffer(data, dtype)
    floats: FloatArray = numbers.reshape(-1, channels).astype(np.float32)
    if numbers.dtype.kind == "i":
        return floats / -np.float32(np.iinfo(numbers.dtype).min)
    if (bad := first_invalid(floats)) is not None:
        raise ValueError(f"sample {bad} is not a number")
    return floats


def _widened(data: bytes) -> npt.NDArray[np.int32]:
    """Return integers of 24 bits as the upper bits of 32."""
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.view("<i4")


def first_invalid(pcm: FloatArray) -> int | None:
    """Return the index of the first frame of `(frames, channels)` that holds NaN or infinity, or None."""
    finite = np.isfinite(pcm).all(axis=1)
    return None if finite.all() else int(np.argmin(finite))

"""What reads an audio file, whatever library decodes it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.core.shell import quoted

SLACK = 0.1
"""Seconds a whole file may fall short of its header: encoders and decoders count their padding differently."""


class Reader(ABC):
    """An open file of audio.

    rate: Hz. channels: how many. length: seconds, as the file says or its size suggests; None if neither does.
    floating: whether its samples are floats that were never coded, and so may exceed full scale.
    note: what a listener should know after the last block, though nothing is wrong.
    """

    rate: int
    channels: int
    length: float | None
    floating: bool = False
    note: str = ""

    @abstractmethod
    def blocks(self, frames: int) -> Iterator[FloatArray]:
        """Yield float32 `(n, channels)`, `frames` at a time, to the end; call it once.

        Raises AudioError where it cannot go on. If audio was missing on the way, it raises that after the last block.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the file."""


def unreadable(name: str, reason: str, after: float = 0.0) -> AudioError:
    """Return the error for a file that is not understood. after: seconds that could be read."""
    reason = reason or "damaged header"
    if after:
        return AudioError(f"{name} cannot be read after {after:.1f} s ({reason}); it is damaged, copy it again")
    remedy = f"if another program plays it, convert it: ffmpeg -i {quoted(name)} out.wav"
    return AudioError(f"{name} cannot be read as audio ({reason}); {remedy}")


def short(name: str, read: float, whole: float) -> AudioError:
    """Return the error for a file that ends before its header says. read, whole: seconds."""
    return AudioError(f"{name} ends after {read:.1f} s of {whole:.1f} s; it is damaged, copy it again")

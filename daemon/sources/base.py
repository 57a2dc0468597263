"""What a source of audio is."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from asrd.core.flow import AudioChunk


class Source(ABC):
    """One stream of audio, delivered as mono float32 at 16 kHz from sample 0.

    stream: its name in events. live: whether sound is captured as it happens. A live source cannot
    wait: what is not taken in time overflows its bounded buffer and is reported as `lost` by the
    next chunk. Any other source loses nothing when it is read slowly. kind: the word that people ask for it by, as
    `parse_source` takes it, and by which clients know it.
    """

    kind: str = "recording"
    live: bool = False

    def __init__(self, stream: str) -> None:
        self.stream = stream

    @abstractmethod
    async def open(self) -> None:
        """Acquire what is needed. Raises AudioError or TransportError with a one-line remedy."""

    @abstractmethod
    def chunks(self) -> AsyncIterator[AudioChunk]:
        """Chunks in order of `start`; ends when the source ends.

        An empty chunk with a `reason` says that the source has fallen silent for now (a device
        was unplugged, a sender went away): the open utterance is closed. A chunk with `lost`
        says how many samples before `start` are missing, and why.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give everything back; `chunks` ends. May be called at any time, more than once."""

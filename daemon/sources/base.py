"""The base class of audio sources."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Iterable

from asrd.core.flow import AudioChunk
from asrd.daemon.transport.door import Door
from asrd.daemon.transport.malformed import Malformed

NOTICES = 16
"""Most notices kept for the next event; more at a time would say nothing more."""


class Source(ABC):
    """One stream of audio, delivered as mono float32 at 16 kHz from sample 0.

    stream: its name in events. live: whether sound is captured as it happens. A live source cannot wait: what is not
    taken in time overflows its bounded buffer, and the next chunk reports it as `lost`. Any other source loses
    nothing when it is read slowly. patient: whether nobody waits for the text as it is spoken, as of a file.
    kind: its name for users, as `parse_source` takes it, and for clients. sent: the
    session of a sender, and how many of its frames were heard; before it is opened, what was heard already.
    patient: set before it is opened; a device that is not there yet is then waited for, and no error. doors: those its
    senders come in by. malformed: what came in and was not understood. notices: what users should
    know, and what nobody has published yet.
    """

    kind: str = "recording"
    live: bool = False
    patient: bool = False
    doors: Iterable[Door] = ()

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.sent = ("", 0)
        self.malformed = Malformed(stream)
        self.notices: deque[str] = deque(maxlen=NOTICES)

    @abstractmethod
    async def open(self) -> None:
        """Acquire resources. Raises AudioError or TransportError with a one-line remedy."""

    @abstractmethod
    def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield chunks in order of `start`, until the source ends.

        An empty chunk with a `reason` means that the source delivers nothing for now (a device was unplugged, a
        sender went away): the open utterance is closed. A chunk with `lost` tells how many samples before `start` are
        missing, and why.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release everything and end `chunks`. May be called at any time, more than once."""

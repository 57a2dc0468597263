"""What a client says, until it is to be told all of it: a stream of the daemon."""

import asyncio
from abc import ABC, abstractmethod

from asrd.core.errors import AudioError
from asrd.gateway.pcm import Encoding, Unpacker
from asrd.gateway.session import Session


class Speech(ABC):
    """A session, and the task that tells its client what is heard in it.

    It is opened once, and closed whatever happens.
    """

    def __init__(self, session: Session, encoding: Encoding, channels: int = 1) -> None:
        """encoding, channels: the form of what is fed."""
        self.session = session
        self._unpacker = Unpacker(encoding, channels)

    @abstractmethod
    async def tell(self) -> None:
        """Tell what is heard, until the end of the session. A session that has failed is told of by `conclude`."""

    async def open(self) -> None:
        """Begin. Raises RefusedError if there are too many sessions."""
        await self.session.__aenter__()
        self._telling = asyncio.create_task(self.tell())

    async def feed(self, audio: bytes) -> bool:
        """Hear more, once there is room. Return False if nothing more is heard, because the daemon stops."""
        samples = self._unpacker.push(audio)
        try:
            await self.session.feed(samples)
        except AudioError:
            return False
        return True

    async def conclude(self) -> None:
        """End the audio, and wait until all of it is told. Raises AsrdError if that cannot be."""
        self.session.finish()
        await self._telling
        if self.session.failure:
            raise AudioError(self.session.failure)

    async def close(self) -> None:
        """Release the stream."""
        self._telling.cancel()
        await asyncio.gather(self._telling, return_exceptions=True)
        await self.session.__aexit__()

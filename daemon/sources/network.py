"""PCM over ZeroMQ: another machine's microphone, or any program that sends the messages defined in `core.pcm`."""

import asyncio
from collections.abc import AsyncIterator

from asrd.core.flow import AudioChunk
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.inlet import Inlet
from asrd.daemon.sources.sessions import Sessions
from asrd.daemon.transport.access import LOCAL, Access


class NetworkSource(Source):
    """Receive one sender after the other, all on one sample clock. It ends only when closed.

    `asrd.daemon.sources.reception` gives each a stream of its own.
    """

    kind = "pcm"

    def __init__(self, stream: str, address: str, access: Access = LOCAL) -> None:
        """access: who may send. Raises UsageError if everyone could."""
        super().__init__(stream)
        self.address = address
        self.inlet = Inlet(address, access)

    async def open(self) -> None:
        """Bind. Raises UsageError if a file is in the way, TransportError if the address is taken or
        cannot be bound.
        """
        await self.inlet.open()
        self.doors = self.inlet.doors

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield audio of the current sender, and an empty chunk with a reason when a sender ends or stops sending."""
        sessions = Sessions(self.stream, self.sent, self.malformed, self.notices.append)
        while not self.inlet.closed:
            parts = await self.inlet.receive(sessions.max_wait)
            if self.inlet.closed:
                break
            for chunk in sessions.receive(parts) if parts else sessions.expire(gone=not self.inlet.connections):
                yield chunk
                await asyncio.sleep(0)  # let others run: one message may make thousands of chunks
            self.sent, self.patient = sessions.received, sessions.waits
        for chunk in sessions.close():
            yield chunk

    async def close(self) -> None:
        """Unbind and end `chunks`."""
        await self.inlet.close()

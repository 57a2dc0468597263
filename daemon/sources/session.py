"""One sender of many, as a source of its own. No sockets here."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

from asrd.core.flow import AudioChunk
from asrd.core.pcm import PcmHeader
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.sessions import Sessions
from asrd.daemon.sources.waiting import LAG
from asrd.daemon.transport.malformed import Malformed

ROOM = 1 << 20
"""Bytes of messages that may wait, half a minute of 16-bit audio at 16 kHz."""

HEAD = 256
"""Bytes that a message takes besides its samples."""

AWAY = 60.0
"""Seconds without a message after which the stream ends. Its open utterance ends sooner."""

Message = tuple[PcmHeader, bytes]


class SessionSource(Source):
    """A session, from its first message to its last.

    complete: whether it said that it ends, and all of it was heard. over: called when it is not heard any more.
    """

    kind = "pcm"

    def __init__(self, stream: str, malformed: Malformed, notices: deque[str]) -> None:
        """malformed, notices: of the place where its messages come in."""
        super().__init__(stream)
        self.malformed, self.notices = malformed, notices
        self.complete = False
        self.over: Callable[[], None] = lambda: None
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._changed = asyncio.Condition()
        self._closed = False
        self._late = False

    async def open(self) -> None:
        """Acquire nothing: messages come by `take`."""

    async def take(self, header: PcmHeader, payload: bytes) -> None:
        """Keep a message until its turn. Wait for room if its session may be heard late; otherwise one that would be
        heard too late is dropped, and becomes a hole.
        """
        size = len(payload) + HEAD
        async with self._changed:
            if header.waits or header.end:
                await self._changed.wait_for(lambda: self._fits(size) or self._closed)
            elif not self._fits(size) or self._behind(header) > LAG:
                self._tell(f"{header.session} is heard more than {LAG:.0f} s late; audio is dropped")
                return
            self._late = False
            self._messages.append((header, payload))
            self._bytes += size
            self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return not self._messages or self._bytes + size <= ROOM

    def _behind(self, header: PcmHeader) -> float:
        """Return how many seconds of audio wait before a message."""
        return (header.position - self._messages[0][0].position) / header.rate if self._messages else 0.0

    def _tell(self, what: str) -> None:
        if not self._late:
            self._late = True
            self.notices.append(what)

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield the session's audio, and an empty chunk with a reason when it ends or falls silent."""
        sessions, heard = Sessions(self.stream, self.sent, self.malformed, self.notices.append), time.monotonic()
        try:
            while not self.complete and time.monotonic() - heard < AWAY:
                left = heard + AWAY - time.monotonic()
                message = await self._next(min(left, left if sessions.max_wait is None else sessions.max_wait))
                if self._closed and message is None:
                    break
                if message:
                    heard = time.monotonic()
                for chunk in sessions.hear(*message) if message else sessions.expire():
                    yield chunk
                    await asyncio.sleep(0)
                self.sent, self.patient = sessions.received, sessions.waits
                self.complete = message is not None and message[0].end and not sessions.active
            for chunk in sessions.expire(gone=True) if not self._closed and not self.complete else ():
                yield chunk
            for chunk in sessions.close():
                yield chunk
        finally:
            self.over()

    async def _next(self, max_wait: float) -> Message | None:
        """Return the next message; None if none comes in time, or once all are taken of a closed source."""
        async with self._changed:
            try:
                async with asyncio.timeout(max_wait):
                    await self._changed.wait_for(lambda: self._messages or self._closed)
            except TimeoutError:
                return None
            if not self._messages:
                return None
            message = self._messages.popleft()
            self._bytes -= len(message[1]) + HEAD
            self._changed.notify_all()
            return message

    async def close(self) -> None:
        """End `chunks` once what was taken is heard."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

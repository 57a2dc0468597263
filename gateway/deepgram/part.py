"""What is heard until a client has all of it finalized: a stream of the daemon."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from asrd.core.errors import AudioError
from asrd.core.events import Final, Partial, Started
from asrd.gateway.deepgram.messages import Messages
from asrd.gateway.deepgram.settings import Settings
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.pcm import Unpacker
from asrd.gateway.session import Session


class Part:
    """One part of a connection's audio; leaving the block ends it."""

    def __init__(self, host: Host, line: Line, settings: Settings, messages: Messages) -> None:
        self._line, self._settings, self._messages = line, settings, messages
        self._session = Session.fed(
            host, "deepgram", rate=settings.rate, channels=settings.channels, lagging=line.hang_up
        )
        self._unpacker = Unpacker(settings.encoding, settings.channels)
        self._flushing = False

    async def open(self) -> None:
        """Begin. Raises RefusedError if there are too many sessions."""
        await self._session.__aenter__()
        self._telling = asyncio.create_task(self._tell())

    async def feed(self, audio: bytes) -> None:
        """Hear more. Raises AudioError once the daemon stops."""
        await self._session.feed(self._unpacker.push(audio))

    async def conclude(self, *, flushed: bool) -> int:
        """Tell all that was said; return how many samples were heard. flushed: whether the client has asked for it."""
        self._flushing = flushed
        self._session.finish()
        await self._telling
        return self._session.length

    async def close(self) -> None:
        """Release the stream."""
        self._telling.cancel()
        await asyncio.gather(self._telling, return_exceptions=True)
        await self._session.__aexit__()

    async def _tell(self) -> None:
        async for message in self._said():
            await self._line.send(message)
        if self._session.failure:
            raise AudioError(self._session.failure)

    async def _said(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what is told. The last final is held back while it may be the last."""
        messages, held = self._messages, None
        async for event in self._session:
            if isinstance(event, Final):
                if held:
                    yield messages.final(held)
                held = event if self._flushing else None
                if held:
                    continue
                yield messages.final(event)
                if self._settings.ends and event.words and event.reason == "silence":
                    yield messages.ended(event)
            elif isinstance(event, Partial) and self._settings.interim:
                yield messages.partial(event)
            elif isinstance(event, Started) and self._settings.starts:
                yield messages.started(event)
        if self._flushing:
            yield messages.final(held, flushed=True) if held else messages.nothing(self._session.length)

"""One plain WebSocket: what its client says, and what it is told."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from asrd.core import events
from asrd.core.errors import AudioError
from asrd.core.events import DAEMON_STREAM
from asrd.gateway.errors import RefusedError
from asrd.gateway.events.feed import Feed
from asrd.gateway.events.messages import Said, decode
from asrd.gateway.events.wish import Wish
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.pcm import Unpacker
from asrd.gateway.session import Session

GOING_AWAY = 1001
"""Close code of WebSockets (RFC 6455, 7.4)."""


class Conversation:
    """`listen` and `tell` run in two tasks. The client's audio, if it sends any, is a session."""

    def __init__(self, host: Host, line: Line, wish: Wish | None, check: Callable[[], None]) -> None:
        """wish: None for a client that gets the events of its own stream alone. check: raises RefusedError if the
        client may not speak.
        """
        self._host, self._line, self._wish, self._check = host, line, wish, check
        self._session: Session | None = None
        self._ended = False
        self._begun, self._draining = asyncio.Event(), asyncio.ensure_future(self._drain())

    async def listen(self) -> None:
        """Do what the client says, until it goes. Raises AsrdError for what makes no sense."""
        while (message := await self._line.receive()) is not None:
            if isinstance(message, bytes):
                await self._feed(message)
            else:
                await self._do(decode(message))

    async def tell(self) -> None:
        """Send events until there are no more, and then close the line."""
        if self._wish:
            async with aclosing(Feed(self._host, self._wish).told()) as told:
                async for one in told:
                    await self._line.send_text(one.payload.decode())
            await self._line.close(GOING_AWAY, "the daemon is stopping")
        else:
            await self._begun.wait()
            async for event in self._speaking:
                await self._line.send_text(events.encode(event).decode())
            await self._line.close()

    async def close(self) -> None:
        """End the session."""
        self._draining.cancel()
        if self._session:
            await self._session.__aexit__()

    @property
    def _speaking(self) -> Session:
        if self._session is None:
            raise RefusedError(400, 'before audio, its form must be told, such as {"rate": 16000}')
        return self._session

    async def _feed(self, audio: bytes) -> None:
        session = self._speaking
        if self._ended:
            raise RefusedError(400, "the audio has ended already; nothing more is heard")
        try:
            await session.feed(self._unpacker.push(audio))
        except AudioError:
            if not session.over:
                raise
            # the daemon stops: what was heard is told to the end

    async def _do(self, said: Said) -> None:
        if said.rate is not None:
            await self._begin(said, said.rate)
        if said.lost:
            self._speaking.lose(said.lost, "lost by its sender")
        if said.end:
            self._ended = True
            self._speaking.finish()

    async def _begin(self, said: Said, rate: int) -> None:
        if self._session:
            raise RefusedError(400, "the audio has begun already; a connection has one stream")
        if said.name == DAEMON_STREAM:
            raise RefusedError(400, f"'{said.name}' cannot name a stream: events of that name are the daemon's own")
        self._check()
        self._unpacker = Unpacker(said.format, said.channels)
        session = Session.fed(self._host, "ws", rate=rate, channels=said.channels, name=said.name)
        self._session = await session.__aenter__()
        await self._line.send({"type": "joined", "stream": session.name})
        self._begun.set()

    async def _drain(self) -> None:
        """Release the session of a client once it has ended, where its events come by the feed."""
        await self._begun.wait()
        if self._wish:
            async for _ in self._speaking:
                pass
            await self._speaking.__aexit__()

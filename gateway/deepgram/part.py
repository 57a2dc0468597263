"""What is heard until a client has all of it finalized: a stream of the daemon."""

from collections.abc import AsyncIterator
from typing import Any

from asrd.core.events import Final, Partial, Started
from asrd.gateway.deepgram.messages import Messages
from asrd.gateway.deepgram.settings import Settings
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.session import Session
from asrd.gateway.speech import Speech


class Part(Speech):
    """One part of a connection's audio. flushing: whether the client wants to know which of its finals is the last."""

    def __init__(self, host: Host, line: Line, settings: Settings, messages: Messages) -> None:
        self._line, self._settings, self._messages = line, settings, messages
        self.flushing = False
        rate, channels = settings.rate, settings.channels
        session = Session.fed(host, "deepgram", rate=rate, channels=channels, lagging=line.hang_up)
        super().__init__(session, settings.encoding, channels)

    async def tell(self) -> None:
        """Send what is heard."""
        async for message in self._said():
            await self._line.send(message)

    async def _said(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what is told. The last final is held back while it may be the last."""
        messages, held = self._messages, None
        async for event in self.session:
            if isinstance(event, Final):
                if held:
                    yield messages.final(held)
                held = event if self.flushing else None
                if held:
                    continue
                yield messages.final(event)
                if self._settings.ends and event.words and event.reason == "silence":
                    yield messages.ended(event)
            elif isinstance(event, Partial) and self._settings.interim:
                yield messages.partial(event)
            elif isinstance(event, Started) and self._settings.starts:
                yield messages.started(event)
        if self.flushing:
            yield messages.final(held, flushed=True) if held else messages.nothing(self.session.length)

"""What all protocols share: the daemon, its events, and who may do what."""

import asyncio
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from asrd.core.language import primary
from asrd.core.writing.style import Style
from asrd.daemon.server.daemon import Daemon
from asrd.gateway.access import Admission
from asrd.gateway.errors import RefusedError
from asrd.gateway.hub import Hub
from asrd.gateway.options import GatewayOptions

if TYPE_CHECKING:
    from asrd.gateway.session import Session

FINISHING = 3.0
"""Seconds that open sessions get for their last words when the daemon stops: less than the daemon has."""


class Host:
    """A running daemon as the gateway's protocols see it.

    hub: passes its events on. admission: who may connect. sessions: those that are open.
    """

    def __init__(self, daemon: Daemon, options: GatewayOptions, admission: Admission) -> None:
        self.daemon, self.options, self.admission = daemon, options, admission
        self.hub = Hub()
        self.sessions: set[Session] = set()
        self._closing = False
        self._empty = asyncio.Event()

    @property
    def model(self) -> str:
        """The model's name."""
        return self.daemon.engine.model.name

    @property
    def language(self) -> str:
        """The code of the language that the model writes; "" if that is not known."""
        return self.daemon.engine.model.speaks

    @property
    def style(self) -> Style:
        """The style of the text that the daemon displays."""
        return self.daemon.style.naming(self.daemon.engine.words.boosts)

    def check_language(self, code: str) -> None:
        """Raise RefusedError for a language that the model does not write, as far as that is known."""
        if code and self.language and primary(code) != primary(self.language):
            message = f"the model {self.model} writes {self.language}, not {code}"
            raise RefusedError(400, message, "unsupported_language", "language")

    @staticmethod
    def stream(protocol: str) -> str:
        """Return a new name for a stream, which begins with the protocol's."""
        return f"{protocol}-{uuid.uuid4().hex[:8]}"

    def enter(self, session: "Session") -> None:
        """Count a session. Raises RefusedError if there are too many, or the daemon is stopping."""
        if self._closing:
            raise RefusedError(503, "the daemon is stopping; connect again later", "stopping")
        if len(self.sessions) >= (most := self.options.sessions):
            raise RefusedError(
                429, f"{most} sessions are open, and no more may be; try again later", "rate_limit_exceeded"
            )
        self.sessions.add(session)

    def leave(self, session: "Session") -> None:
        """Count a session no more."""
        self.sessions.discard(session)
        if not self.sessions:
            self._empty.set()

    async def emptied(self) -> None:
        """Let no more sessions in, and wait until those there are have had their last words, or time to."""
        self._closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISHING):
                while self.sessions:
                    self._empty.clear()
                    await self._empty.wait()

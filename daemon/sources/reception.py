"""PCM over ZeroMQ where every sender gets a stream of its own: `call=pcm:tcp://HOST:PORT?streams=each`."""

import re
from collections import OrderedDict

from asrd.core.pcm import PcmHeader
from asrd.daemon.sources.entrance import Entrance, Join
from asrd.daemon.sources.inlet import Inlet
from asrd.daemon.sources.session import SessionSource
from asrd.daemon.sources.sessions import read_message
from asrd.daemon.transport.access import LOCAL, Access

MOST = 64
"""Sessions heard at once, unless told otherwise."""

REMEMBERED = 4096
"""Sessions remembered that are not heard any more, or were not heard for want of room."""


class Reception(Entrance):
    """Hear every session as a stream, called by the entrance's name and the session's. Each has its own clock.

    A session that sends faster than it is heard, and says that it waits, holds up the others a little: ZeroMQ takes
    one message of each in turn.
    """

    def __init__(self, stream: str, address: str, access: Access = LOCAL, most: int = MOST) -> None:
        """access: who may send. most: sessions heard at once; others are lost, and named. Raises UsageError if everyone
        could send.
        """
        super().__init__(stream, f"{stream}=pcm:{address}?streams=each")
        self.inlet = Inlet(address, access)
        self.address = address
        self.most = most
        self._sessions: dict[str, SessionSource] = {}
        self._received: OrderedDict[str, int] = OrderedDict()
        self._full = False

    async def open(self) -> None:
        """Bind. Raises UsageError if a file is in the way, TransportError if the address is taken or
        cannot be bound.
        """
        await self.inlet.open()
        self.doors = self.inlet.doors

    async def run(self, join: Join) -> None:
        """Hand each message to its session, a new one for a new name, until closed."""
        while (parts := await self.inlet.receive()) is not None:
            if read := read_message(parts, self.malformed):
                name = read[0].session
                if session := self._sessions.get(name) or await self._admit(read[0], join):
                    await session.take(*read)

    async def _admit(self, header: PcmHeader, join: Join) -> SessionSource | None:
        """Return a new session; None if as many as may be are heard already, or there is nothing to hear."""
        name = header.session
        received = self._received.get(name)
        if header.end and header.position <= (received or 0) and header.again:
            return None  # said once more, because the end may have been lost
        if len(self._sessions) >= self.most:
            self._remember(name, header.position if received is None else received)
            if not self._full:
                self._full = True
                self.notices.append(f"{name} is not heard: {self.most} sessions are; allow more with &most=")
            return None
        self._full = False
        session = SessionSource(f"{self.stream}-{_plain(name)}", self.malformed, self.notices)
        session.sent = ("", 0) if received is None else (name, received)
        session.over = lambda: self._leave(name, session)
        self._sessions[name] = session
        await join(session)
        return session

    def _leave(self, name: str, session: SessionSource) -> None:
        """Forget a session, but not how much of it was received: it may come back."""
        self._sessions.pop(name, None)
        if session.sent[0] == name:
            self._remember(name, session.sent[1])

    def _remember(self, name: str, received: int) -> None:
        self._received[name] = received
        self._received.move_to_end(name)
        while len(self._received) > REMEMBERED:
            self._received.popitem(last=False)

    async def close(self) -> None:
        """Unbind, and end `run`. Sessions that are heard go on until they are closed themselves."""
        await self.inlet.close()


def _plain(session: str) -> str:
    """Return a session's name with no other characters than those that may name a stream."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", session).strip("-") or "session"

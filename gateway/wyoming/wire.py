"""A connection of Wyoming that neither side can hold up forever, and that cannot send more than is sensible."""

import asyncio

from wyoming.event import Event, Eventable, async_read_event, async_write_event

from asrd.gateway.errors import LaggingError, RefusedError

HEAD, BODY = 64 << 10, 1 << 20
"""Bytes of an event's first line, and of each of the two parts that may follow it: 5 s of CD quality."""

SLOW = 20.0
"""Seconds within which a client must take an event."""


class Reader(asyncio.StreamReader):
    """A reader that refuses a part of an event that is too long before it comes."""

    def __init__(self) -> None:
        super().__init__(limit=HEAD, loop=asyncio.get_running_loop())

    async def readexactly(self, n: int) -> bytes:
        """Read a part. Raises RefusedError if it is too long."""
        if not isinstance(n, int) or n > BODY:
            raise RefusedError(413, f"a part of an event has at most {BODY} bytes here")
        return await super().readexactly(n)


class Wire:
    """One connection. Several tasks may send. idle: seconds within which a client must send something."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle: float) -> None:
        self._reader, self._writer, self._idle = reader, writer, idle

    @property
    def peer(self) -> str:
        """The client's address."""
        return str((self._writer.get_extra_info("peername") or "?")[0])

    async def receive(self) -> Event | None:
        """Return the next event; None once the client has gone. Raises RefusedError for what is none, or too late."""
        try:
            async with asyncio.timeout(self._idle):
                event = await async_read_event(self._reader)
        except TimeoutError as error:
            raise RefusedError(408, f"nothing was received for {self._idle:g} s", "idle") from error
        except (ConnectionError, asyncio.IncompleteReadError):
            return None
        except (AttributeError, KeyError, TypeError, RecursionError) as error:
            raise _malformed() from error
        if event is None and self._reader.at_eof():
            return None
        if event is None or not isinstance(event.type, str) or not isinstance(event.data, dict):
            raise _malformed()
        return event

    async def send(self, *said: Eventable) -> None:
        """Send events. Raises LaggingError, after hanging up, if the client does not read; ConnectionError if it has
        gone.
        """
        try:
            async with asyncio.timeout(SLOW):
                for one in said:
                    await async_write_event(one.event(), self._writer)
        except TimeoutError as error:
            self.hang_up()
            raise LaggingError(f"nothing was read for {SLOW:g} s; connect again, and read faster") from error

    def close(self) -> None:
        """Close the connection after what was sent."""
        self._writer.close()

    def hang_up(self) -> None:
        """End the connection at once, whatever was not sent yet."""
        self._writer.transport.abort()


def _malformed() -> RefusedError:
    return RefusedError(400, "not an event of Wyoming", "malformed")

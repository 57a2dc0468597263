"""One client of the API: what it sends, and what it is told."""

import hashlib

from starlette.websockets import WebSocketDisconnect

from asrd.core.errors import AsrdError, MalformedError
from asrd.gateway.deepgram.messages import Messages, decode
from asrd.gateway.deepgram.part import Part
from asrd.gateway.deepgram.settings import Settings
from asrd.gateway.errors import LaggingError, RefusedError
from asrd.gateway.host import Host
from asrd.gateway.line import Line


class Conversation:
    """A client sends audio until it closes the stream, and may have finalized what it has sent at any time."""

    def __init__(self, host: Host, line: Line, settings: Settings) -> None:
        self._host, self._line, self._settings = host, line, settings
        self._messages = Messages(host, settings)
        self._part: Part | None = None
        self._digest = hashlib.sha256()

    async def run(self) -> None:
        """Converse until the client goes, or closes the stream. Raises AsrdError, and tells it, if that cannot be."""
        try:
            while (message := await self._line.receive()) is not None:
                if not await (self._hear(message) if isinstance(message, bytes) else self._do(message)):
                    return await self._end()
        except (LaggingError, WebSocketDisconnect):
            raise
        except AsrdError as error:
            await self._line.send({"type": "Error", "variant": "DATA-0000", "description": str(error)})
            raise
        finally:
            await self._leave()
        return None

    async def _do(self, text: str) -> bool:
        """Do what a message says. Return whether there may be more. Raises RefusedError for one that is none."""
        try:
            command = decode(text)
        except MalformedError as error:
            raise RefusedError(400, f"not a message of this API: {error}") from error
        if command.type == "Finalize":
            await self._conclude(flushed=True)
        return command.type != "CloseStream"

    async def _hear(self, audio: bytes) -> bool:
        """Hear a piece of audio; an empty one closes the stream. Return False if nothing more is heard."""
        if not audio:
            return False
        self._digest.update(audio)
        return await (self._part or await self._begun()).feed(audio)

    async def _begun(self) -> Part:
        part = Part(self._host, self._line, self._settings, self._messages)
        await part.open()
        self._part = part
        return part

    async def _conclude(self, *, flushed: bool) -> None:
        """Tell all that was said until now."""
        if self._part:
            self._part.flushing = flushed
            await self._part.conclude()
            self._messages.begins += self._part.session.length
        elif flushed:
            await self._line.send(self._messages.nothing(0))
        await self._leave()

    async def _end(self) -> None:
        """Tell the rest, and close the connection."""
        await self._conclude(flushed=False)
        await self._line.send(self._messages.metadata(self._messages.begins, self._digest.hexdigest()))
        await self._line.close()

    async def _leave(self) -> None:
        part, self._part = self._part, None
        if part:
            await part.close()

"""One client of the protocol: its audio, and an answer to every piece of it."""

import asyncio
from contextlib import AsyncExitStack
from typing import Self

from asrd.core.errors import AudioError, MalformedError
from asrd.core.events import Final, Partial
from asrd.core.pcm import MAX_RATE, MIN_RATE
from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.pcm import Unpacker
from asrd.gateway.session import Session
from asrd.gateway.vosk.messages import RATE, Answers, Config, decode


class Hearing:
    """A session, and what was heard in it since the last answer."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.unpacker = Unpacker("s16le")
        self.partial = ""
        self._finals: list[Final] = []

    async def listen(self) -> None:
        """Hear until the end of the session."""
        async for event in self.session:
            if isinstance(event, Final):
                self._finals.append(event)
                self.partial = ""
            elif isinstance(event, Partial):
                self.partial = event.text

    def take(self) -> list[Final]:
        """Return what is final since the last time, in order."""
        finals, self._finals = self._finals, []
        return finals


class Conversation(AsyncExitStack):
    """Every message with audio is answered once: by what has become final since the answer before, or else by what is
    heard of the open utterance. So an answer does not wait for the recognition of the audio that it answers.
    """

    def __init__(self, host: Host, line: Line) -> None:
        super().__init__()
        self._host, self._line = host, line
        self._answers = Answers()
        self._rate = RATE
        self._hearing: Hearing | None = None

    async def __aenter__(self) -> Self:
        """Do nothing; leaving ends the session."""
        return self

    async def run(self) -> None:
        """Converse until the client has gone, or said that it is at its end. Raises AsrdError if it cannot go on."""
        while (message := await self._line.receive()) is not None:
            if isinstance(message, bytes):
                if not await self._hear(message):
                    return await self._conclude()
            elif await self._do(message):
                return await self._conclude()
        return None

    async def _do(self, text: str) -> bool:
        """Return whether a message is the last one. Raises RefusedError for one that is not of this protocol."""
        try:
            message = decode(text)
        except MalformedError as error:
            raise RefusedError(400, f"not a message of vosk: {error}") from error
        if isinstance(message.config, Config):
            self._use(message.config)
        return message.eof

    def _use(self, config: Config) -> None:
        self._answers.use(config)
        if isinstance(config.sample_rate, float) and config.sample_rate != self._rate:
            if not MIN_RATE <= config.sample_rate <= MAX_RATE:
                raise RefusedError(400, f"a sample rate lies from {MIN_RATE} to {MAX_RATE} Hz")
            if self._hearing:
                raise RefusedError(400, "the sample rate cannot change within a connection")
            self._rate = round(config.sample_rate)

    async def _hear(self, data: bytes) -> bool:
        """Hear and answer a piece of audio. Return False if nothing more is heard, because the daemon stops."""
        hearing = self._hearing or await self._begun()
        try:
            await hearing.session.feed(hearing.unpacker.push(data))
        except AudioError:
            return False
        finals = hearing.take()
        await self._line.send(self._answers.result(finals) if finals else self._answers.partial(hearing.partial))
        return True

    async def _begun(self) -> Hearing:
        session = await self.enter_async_context(Session.fed(self._host, "vosk", rate=self._rate))
        self._hearing = hearing = Hearing(session)
        self._listening = asyncio.create_task(hearing.listen())
        self.callback(self._listening.cancel)
        return hearing

    async def _conclude(self) -> None:
        """Answer by all that is not told yet, and close the connection."""
        finals = []
        if self._hearing:
            self._hearing.session.finish()
            await self._listening
            finals = self._hearing.take()
        await self._line.send(self._answers.result(finals))
        await self._line.close()

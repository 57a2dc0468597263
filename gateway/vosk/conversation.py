"""One client of the protocol: its audio, and an answer to every piece of it."""

from asrd.core.errors import MalformedError
from asrd.core.events import Final, Partial
from asrd.core.pcm import MAX_RATE, MIN_RATE
from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.session import Session
from asrd.gateway.speech import Speech
from asrd.gateway.vosk.messages import RATE, Answers, Config, decode


class Hearing(Speech):
    """What a client says. It is not told by itself: what was heard since the last answer is kept for the next one."""

    def __init__(self, host: Host, rate: int) -> None:
        super().__init__(Session.fed(host, "vosk", rate=rate), "s16le")
        self.partial = ""
        self._finals: list[Final] = []

    async def tell(self) -> None:
        """Keep what is heard."""
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


class Conversation:
    """Every message with audio is answered once: by what has become final since the answer before, or else by what is
    heard of the open utterance. So an answer does not wait for the recognition of the audio that it answers.
    """

    def __init__(self, host: Host, line: Line) -> None:
        self._host, self._line = host, line
        self._answers = Answers()
        self._rate = RATE
        self._hearing: Hearing | None = None

    async def run(self) -> None:
        """Converse until the client has gone, or said that it is at its end. Raises AsrdError if it cannot go on."""
        try:
            while (message := await self._line.receive()) is not None:
                if not await (self._hear(message) if isinstance(message, bytes) else self._do(message)):
                    return await self._conclude()
        finally:
            if self._hearing:
                await self._hearing.close()
        return None

    async def _do(self, text: str) -> bool:
        """Do what a message says. Return whether there may be more. Raises RefusedError for one that is none."""
        try:
            message = decode(text)
        except MalformedError as error:
            raise RefusedError(400, f"not a message of vosk: {error}") from error
        if isinstance(message.config, Config):
            self._use(message.config)
        return not message.eof

    def _use(self, config: Config) -> None:
        self._answers.use(config)
        if isinstance(config.sample_rate, float) and config.sample_rate != self._rate:
            if not MIN_RATE <= config.sample_rate <= MAX_RATE:
                raise RefusedError(400, f"a sample rate lies from {MIN_RATE} to {MAX_RATE} Hz")
            if self._hearing:
                raise RefusedError(400, "the sample rate cannot change within a connection")
            self._rate = round(config.sample_rate)

    async def _hear(self, audio: bytes) -> bool:
        """Hear and answer a piece of audio. Return False if nothing more is heard."""
        hearing = self._hearing or await self._begun()
        if not await hearing.feed(audio):
            return False
        finals = hearing.take()
        await self._line.send(self._answers.result(finals) if finals else self._answers.partial(hearing.partial))
        return True

    async def _begun(self) -> Hearing:
        hearing = Hearing(self._host, self._rate)
        await hearing.open()
        self._hearing = hearing
        return hearing

    async def _conclude(self) -> None:
        """Answer by all that is not told yet, and close the connection."""
        finals: list[Final] = []
        if self._hearing:
            await self._hearing.conclude()
            finals = self._hearing.take()
        await self._line.send(self._answers.result(finals))
        await self._line.close()

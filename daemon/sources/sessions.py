"""Turn the messages of a network source's senders into one stream. No sockets here."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from asrd.core import wire
from asrd.core.errors import MalformedError
from asrd.core.flow import AudioChunk
from asrd.core.pcm import PcmHeader, decode
from asrd.core.units import Samples, counted
from asrd.daemon.sources.timeline import Timeline
from asrd.daemon.sources.waiting import Waiting
from asrd.daemon.transport.malformed import Malformed

IDLE = 5.0
"""Seconds without a message after which a sender counts as gone, and another may send."""

TOLD = 1.0
"""Seconds of audio that wait until users are told: a sender often begins before the last one has ended."""

LEAP = 3600
"""Seconds by which a sender may skip ahead of its audio so far: a longer hole is a mistake, or malice."""

LAST = Samples(2**48)
"""Stream position after which no holes are allowed, 500 years from the start: positions stay exact in 64-bit floats."""

log = logging.getLogger(__name__)

_decoder = msgspec.json.Decoder(PcmHeader)


def read_message(parts: Sequence[bytes], malformed: Malformed) -> tuple[PcmHeader, bytes] | None:
    """Return the header and the samples of a message; None, after noting it, for what is none."""
    if len(parts) != 2:
        malformed.note(f"it has {counted(len(parts), 'parts')}, not a header and samples")
        return None
    try:
        return wire.decode(parts[0], _decoder), parts[1]
    except MalformedError as error:
        malformed.note(error)
        return None


class Sessions:
    """Receive one sender at a time; the others wait until it ends or stops sending. A message that cannot be decoded
    is discarded whole, so that its samples show as a hole before the next one. Every other kind of fault is logged
    once, and again only after messages were valid in between.
    """

    def __init__(
        self,
        stream: str,
        sent: tuple[str, int] = ("", 0),
        malformed: Malformed | None = None,
        notice: Callable[[str], None] = lambda message: None,
    ) -> None:
        """sent: a session, and how many of its frames were heard by the daemon before. notice: called with what users
        should know, such as that a sender waits.
        """
        self._notice = notice
        self._stream = stream
        self._before = sent
        self._malformed = malformed or Malformed(stream)
        self._timeline: Timeline | None = None
        self._waiting = Waiting()
        self._session = ""
        self._expected = 0
        self._length: int | None = None
        self._heard = 0.0
        self._silenced: set[str] = set()
        self._told: set[str] = set()
        self.active = self.waits = False

    @property
    def received(self) -> tuple[str, int]:
        """The current or last session, and how many of its frames were received, perhaps by the daemon before."""
        return (self._session, self._expected) if self._session else self._before

    @property
    def max_wait(self) -> float | None:
        """Seconds to wait for the next message before `expire`; None if nothing can expire."""
        return max(0.0, self._heard + IDLE - time.monotonic()) if self.active else None

    def receive(self, parts: Sequence[bytes]) -> Iterator[AudioChunk]:
        """Yield what `hear` does of a message as it came; nothing if it is none."""
        if read := read_message(parts, self._malformed):
            yield from self.hear(*read)

    def hear(self, message: PcmHeader, payload: bytes) -> Iterator[AudioChunk]:
        """Yield the chunks of one message, and of those that waited for it; none if it waits or is refused.

        Each chunk is made when it is taken. The caller must take all of them.
        """
        if self.active and message.session != self._session:
            self._tell_of(message)
            if not self._waiting.put(message, payload):
                what = f"{message.session} sends more than can wait while {self._session} is sending; audio is lost"
                self._refuse("busy", what)
            return
        yield from self._hear(message, payload)
        yield from self._serve()

    def expire(self, *, gone: bool = False) -> Iterator[AudioChunk]:
        """Release a sender that has sent nothing for `IDLE` seconds; if it comes back, it continues. gone: whether it
        cannot come back, because nobody is connected any more.
        """
        yield from self._release(time.time(), f"nothing received for {IDLE:g} s")
        if gone:
            yield from self._give_up()
        yield from self._serve()

    def _serve(self) -> Iterator[AudioChunk]:
        """Yield the chunks of waiting senders whose turn it is."""
        while self._waiting and not self.active:
            for message, payload in self._waiting.take():
                self._told.discard(message.session)
                yield from self._hear(message, payload)

    def _hear(self, message: PcmHeader, payload: bytes) -> Iterator[AudioChunk]:
        try:
            pcm = decode(payload, message.format, message.channels)
        except ValueError as error:
            self._malformed.note(error)
            return
        if message.length is not None and message.position + len(pcm) > message.length:
            self._malformed.note(f"it ends at frame {message.position + len(pcm)} of {message.length}")
            return
        if message.again:
            known = self._known(message, len(pcm))
            if known == len(pcm) and not message.end:
                return
            message = msgspec.structs.replace(message, position=message.position + known)
            pcm = pcm[known:]
        if message.session != self._session:
            yield from self._give_up()
        self.waits = message.waits
        timeline = self._admit(message)
        if timeline is None:
            self._refuse("changed", f"sender {message.session} changed its rate, went back or leapt; that is ignored")
            return
        self._length = self._length if message.length is None else message.length
        lost = message.position - self._expected
        self._expected = message.position + len(pcm)
        captured = min(message.captured, time.time())  # another machine's clock may be ahead
        self._silenced.discard("changed")
        if not len(pcm):
            self._expected -= lost  # no audio yet that the hole precedes
        for first in range(0, len(pcm), message.rate):  # a second at a time: a message may hold half an hour
            piece = pcm[first : first + message.rate]
            after = len(pcm) - first - len(piece)
            yield from timeline.push(piece, captured - after / message.rate, lost, "lost before it was received")
            lost = 0
        self._heard = time.monotonic()
        if message.end:
            yield from self._end(captured, lost)

    def close(self) -> list[AudioChunk]:
        """Return the audio that the filter still holds, and what is missing of a sender that has fallen silent. Waiting
        senders are dropped.
        """
        if self._waiting:
            log.warning("%s: closed before %d waiting sender(s) were heard", self._stream, len(self._waiting))
        given_up = [] if self.active else self._give_up()
        return [*given_up, *self._timeline.finish(time.time())] if self._timeline is not None else []

    def _known(self, message: PcmHeader, frames: int) -> int:
        """Return how many frames of a repeated message were heard already, by this daemon or the one before."""
        session, position = self.received
        return max(0, min(position - message.position, frames)) if message.session == session else 0

    def _admit(self, message: PcmHeader) -> Timeline | None:
        """Return the message's timeline, a new one for a new session; None if it fits none."""
        timeline = self._timeline
        if timeline is not None and message.session == self._session:
            ahead = message.position - self._expected
            fits = message.rate == timeline.rate and 0 <= ahead <= _longest_hole(timeline)
            if fits or self.active:
                self.active = True
                return timeline if fits else None
        before, sent = self.received if timeline is None else ("", 0)
        start = timeline.position if timeline is not None else Samples(0)
        self._timeline = Timeline(message.rate, start)
        self._session, self._length = message.session, None
        self._expected = self._waiting.missed(message)  # audio sent before we received the session is not lost here
        if before == message.session:
            self._expected = min(sent, message.position)
        if message.position - self._expected > _longest_hole(self._timeline):
            self._expected = message.position
        self.active = True
        self._silenced.clear()
        log.info("%s: receiving from %s at %d Hz", self._stream, self._session, message.rate)
        return self._timeline

    def _end(self, captured: float, lost: int = 0) -> list[AudioChunk]:
        lost = max(lost, self._missing())
        reason = "the sender has ended; its last audio was lost on the way" if lost else "the sender has ended"
        chunks = self._release(captured, reason, lost)
        self._forget()
        return chunks

    def _missing(self) -> int:
        """Return how many frames are missing at the end of a session whose length is known, and 0 of any other."""
        if self._length is None or self._timeline is None:
            return 0
        return max(0, min(self._length - self._expected, _longest_hole(self._timeline)))

    def _give_up(self) -> list[AudioChunk]:
        """Return, as lost audio, what is missing of a session that has fallen silent and does not come back."""
        if self._timeline is None or not (missing := self._missing()):
            return []
        chunks = self._timeline.finish(time.time(), "lost before it was received; its sender has gone", missing)
        self._forget()
        return chunks

    def _forget(self) -> None:
        self._before, self._session, self._length = self.received, "", None

    def _release(self, captured: float, reason: str, lost: int = 0) -> list[AudioChunk]:
        if self._timeline is None or not self.active:
            return []
        self.active = False
        self._silenced.discard("busy")
        log.info("%s: %s is no longer received: %s", self._stream, self._session, reason)
        return self._timeline.finish(captured, reason, lost)

    def _tell_of(self, message: PcmHeader) -> None:
        """Tell once of a session that waits, if it does for more than a moment."""
        if message.session not in self._told and self._waiting.behind(message) >= TOLD:
            self._told.add(message.session)
            self._notice(f"{message.session} waits while {self._session} is sending; give each a source of its own")

    def _refuse(self, kind: str, what: str) -> None:
        if kind not in self._silenced:
            self._silenced.add(kind)
            log.warning("%s: %s", self._stream, what)
            self._notice(what)


def _longest_hole(timeline: Timeline) -> int:
    """Return the number of frames that may be missing next."""
    return LEAP * timeline.rate if timeline.position < LAST else 0

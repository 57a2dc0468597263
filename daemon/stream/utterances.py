"""Publish the events of a stream."""

import logging
from collections.abc import Collection

import msgspec

from asrd.core.events import Error, Event, Gap, Partial, Paused, Resumed, Settings, Started, Timestamps
from asrd.core.flow import Hypothesis, Onset, Window
from asrd.core.units import SAMPLE_RATE, Samples, seconds
from asrd.core.writing.style import Style
from asrd.core.writing.writer import Writer
from asrd.daemon.scheduling.queue import Result
from asrd.daemon.stream import transcript
from asrd.daemon.stream.observer import Outlet

log = logging.getLogger(__name__)


class UtteranceEvents:
    """Publish exactly one final for every utterance that was started, and keep what is known of it until then.

    stream: its name. style: of the text for people. clock: a stream position, and when it was captured in Unix seconds.
    finished: number of utterances recognised to their end. lost: number of samples in gaps.
    """

    def __init__(self, publisher: Outlet, stream: str, style: Style, clock: tuple[int, float]) -> None:
        self._publisher = publisher
        self.stream = stream
        self._style, self.writer = style, Writer(style)
        self._starts: dict[int, Samples] = {}
        self._latest: dict[int, Partial] = {}
        self._last: dict[int, Window] = {}
        self.clock = clock
        self.finished = self.lost = 0

    @property
    def idle(self) -> bool:
        """True if every utterance that was started has its final."""
        return not self._starts

    async def began(self, onset: Onset) -> None:
        """Publish that an utterance begins."""
        log.debug("%s: utterance %d starts at %.2f s", self.stream, onset.utterance, seconds(onset.start))
        self._starts[onset.utterance] = onset.start
        await self._publish(Started(utterance=onset.utterance, start=onset.start))

    def ended(self, window: Window) -> None:
        """Note that an utterance has ended: its last window was cut, but not yet recognised."""
        self._last[window.utterance] = window
        end = seconds(window.keep_end)
        log.debug("%s: utterance %d ends at %.2f s (%s)", self.stream, window.utterance, end, window.reason)

    async def recognized(self, result: Result, hypothesis: Hypothesis, names: Collection[str] = ()) -> None:
        """Publish the hypothesis of an utterance after one of its windows was recognised; the last window gives the
        final. names: the hot words of an utterance that begins, which are written as people gave them.
        """
        if names:
            self.writer.style = self._style.naming(names)
        window, backend = result.window, result.backend
        stages = Timestamps(
            heard=self._captured(window.speech_end),
            cut=result.cut,
            started=result.started,
            recognized=result.recognized,
        )
        number = window.utterance
        known = transcript.partial(window, self._starts[number], hypothesis, backend, stages)
        if not window.last:
            display, stable = self.writer.partial(known.words, known.text, known.stable)
            self._latest[number] = known = msgspec.structs.replace(known, display=display, display_stable=stable)
            await self._publish(known)
            return
        self.finished += 1
        self._forget(number)
        end, speech_end, reason = window.keep_end, window.speech_end, window.reason
        known = self._finished(known, reason)
        await self._publish(transcript.final(known, end=end, speech_end=speech_end, backend=backend, reason=reason))

    async def abandon(self, position: Samples, backend: str, now: float) -> None:
        """Give up all open utterances. position: end of the stream's audio so far. now: Unix seconds."""
        for number in list(self._starts):
            await self.give_up(number, position, backend, now)

    async def give_up(self, number: int, position: Samples, backend: str, now: float) -> None:
        """Finish an utterance, if it is open, with what is known of it; a gap covers what was said since. If it has
        not ended, it ends at `position`, the end of the stream's audio so far.
        """
        if number not in self._starts:
            return
        known = self._latest.get(number) or transcript.unheard(number, self._starts[number], backend, now)
        end, speech_end, reason = Samples(max(known.end, position)), known.end, "end"
        if last := self._last.get(number):
            end, speech_end, reason = last.keep_end, last.speech_end, last.reason
        self._forget(number)
        known = self._finished(transcript.before(known, end), reason)
        if end > known.end:
            await self.gap(known.end, end, "there was no time to recognise it")
        await self._publish(transcript.final(known, end=end, speech_end=speech_end, backend=backend, reason=reason))

    def _finished(self, known: Partial, reason: str) -> Partial:
        """Return the last that is known of an utterance, displayed as in its final; the next one has other names."""
        display = self.writer.final(known.words, reason)
        self.writer.style = self._style
        return msgspec.structs.replace(known, display=display)

    def _forget(self, number: int) -> None:
        del self._starts[number]
        self._latest.pop(number, None)
        self._last.pop(number, None)

    async def gap(self, start: int, end: int, why: str) -> None:
        """Publish that the audio between two positions has no transcript."""
        self.lost += end - start
        await self._publish(Gap(start=start, end=end, reason=why))

    async def paused(self, position: Samples, *, on: bool) -> None:
        """Publish that a pause begins or ends at a position."""
        await self._publish(Paused(position=position) if on else Resumed(position=position))

    async def settings(self, position: Samples, values: dict[str, int]) -> None:
        """Publish that other settings hold from a position on."""
        await self._publish(Settings(position=position, values=values))

    async def error(self, message: str) -> None:
        """Publish an error."""
        await self._publish(Error(message=message))

    async def _publish(self, event: Event) -> None:
        await self._publisher.publish(event, self.stream)

    def _captured(self, position: Samples) -> float:
        """Return when a position was captured, computed from the clock."""
        end, captured = self.clock
        return captured - (end - position) / SAMPLE_RATE

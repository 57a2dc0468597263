"""Tells what becomes of a stream, as events."""

import logging

from asrd.core.events import Error, Event, Gap, Partial, Settings, Started, Timestamps
from asrd.core.flow import Hypothesis, Onset, Window
from asrd.core.units import SAMPLE_RATE, Samples, seconds
from asrd.daemon.scheduling.queue import Result
from asrd.daemon.stream import transcript
from asrd.daemon.stream.observer import Outlet

log = logging.getLogger(__name__)


class UtteranceEvents:
    """Every utterance that was started gets exactly one final; what is known of it until then is kept here.

    stream: its name. clock: a stream position, and when it was captured in Unix seconds. finished: utterances that were
    recognised to their end. lost: samples that gaps name.
    """

    def __init__(self, publisher: Outlet, stream: str, clock: tuple[int, float]) -> None:
        self._publisher = publisher
        self.stream = stream
        self._starts: dict[int, Samples] = {}
        self._latest: dict[int, Partial] = {}
        self._last: dict[int, Window] = {}
        self.clock = clock
        self.finished = self.lost = 0

    @property
    def idle(self) -> bool:
        """Whether every utterance that was started has its final."""
        return not self._starts

    async def began(self, onset: Onset) -> None:
        """An utterance begins."""
        log.debug("%s: utterance %d starts at %.2f s", self.stream, onset.utterance, seconds(onset.start))
        self._starts[onset.utterance] = onset.start
        await self._publish(Started(utterance=onset.utterance, start=onset.start))

    def ended(self, window: Window) -> None:
        """An utterance has ended; its last window was cut, and is still to be recognised."""
        self._last[window.utterance] = window
        end = seconds(window.keep_end)
        log.debug("%s: utterance %d ends at %.2f s (%s)", self.stream, window.utterance, end, window.reason)

    async def recognized(self, result: Result, hypothesis: Hypothesis) -> None:
        """What is known of an utterance now that a window of it was recognised; with its last window all there is."""
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
            self._latest[number] = known
            await self._publish(known)
            return
        self.finished += 1
        self._forget(number)
        end, speech_end = window.keep_end, window.speech_end
        await self._publish(
            transcript.final(known, end=end, speech_end=speech_end, backend=backend, reason=window.reason)
        )

    async def abandon(self, position: Samples, backend: str, now: float) -> None:
        """Give up all that are still open. position: as far as the stream was heard. now: Unix seconds."""
        for number in list(self._starts):
            await self.give_up(number, position, backend, now)

    async def give_up(self, number: int, position: Samples, backend: str, now: float) -> None:
        """Finish an utterance, if it is open, with what is known of it; what was said since is named by a gap. One that
        has not ended ends at `position`, as far as the stream was heard.
        """
        if number not in self._starts:
            return
        known = self._latest.get(number) or transcript.unheard(number, self._starts[number], backend, now)
        end, speech_end, reason = Samples(max(known.end, position)), known.end, "end"
        if last := self._last.get(number):
            end, speech_end, reason = last.keep_end, last.speech_end, last.reason
        self._forget(number)
        known = transcript.before(known, end)
        if end > known.end:
            await self.gap(known.end, end, "there was no time to recognise it")
        await self._publish(transcript.final(known, end=end, speech_end=speech_end, backend=backend, reason=reason))

    def _forget(self, number: int) -> None:
        del self._starts[number]
        self._latest.pop(number, None)
        self._last.pop(number, None)

    async def gap(self, start: int, end: int, why: str) -> None:
        """Nothing will be told of what was said between two positions."""
        self.lost += end - start
        await self._publish(Gap(start=start, end=end, reason=why))

    async def settings(self, position: Samples, values: dict[str, int]) -> None:
        """Other settings hold from a position on."""
        await self._publish(Settings(position=position, values=values))

    async def error(self, message: str) -> None:
        """Something has failed."""
        await self._publish(Error(message=message))

    async def _publish(self, event: Event) -> None:
        await self._publisher.publish(event, self.stream)

    def _captured(self, position: Samples) -> float:
        """When this position was captured, reckoned from the clock's."""
        end, captured = self.clock
        return captured - (end - position) / SAMPLE_RATE

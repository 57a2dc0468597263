"""Decide where utterances begin and end, and when windows of them are cut."""

import math
from dataclasses import replace

from asrd.core.flow import Answer, FloatArray, Onset, Window
from asrd.core.units import Samples
from asrd.daemon.segmentation import overlong, wordless
from asrd.daemon.segmentation.endpointer import Endpointer, EndpointerState
from asrd.daemon.segmentation.feedback import PROBE, Feedback
from asrd.daemon.segmentation.hangover import Hangover
from asrd.daemon.segmentation.history import History, HistoryState
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.segmentation.utterance import OpenUtterance
from asrd.daemon.segmentation.windows import Cutter
from asrd.daemon.segmentation.wordless import Noise
from asrd.daemon.state import State, Stateful
from asrd.models import Geometry


class SegmentState(State, frozen=True):
    """State of a segment; all but `number`, `history` and `endpointer` are stream positions.

    origin: the first sample. position: end of the judged audio. closed: end of the last utterance. silent_from: end
    of its last voiced frame. number: of the next utterance.
    """

    origin: int
    position: int
    closed: int
    silent_from: int
    number: int
    history: HistoryState
    endpointer: EndpointerState


class Segment(Stateful[SegmentState]):
    """Process a segment of a stream, which has no gap, frame by frame. Open in it is an utterance, a voice without
    words, or nothing.

    frame: number of samples that the VAD judges at once. origin: stream position of the first sample. number: of the
    next utterance. position: end of the judged audio. history: the audio that is still needed, or not judged yet.
    """

    def __init__(
        self,
        frame: int,
        geometry: Geometry,
        settings: SegmenterSettings,
        hangover: Hangover,
        *,
        origin: int,
        number: int,
    ) -> None:
        self._frame = frame
        self._settings = settings
        self._hangover = hangover
        self.number = number
        self.position = self._closed = self._silent_from = origin
        self.history = History(Samples(origin))
        self._cutter = Cutter(geometry, settings, self.history)
        self._open: OpenUtterance | None = None
        self._doubtful: Noise | None = None
        self._feedback = Feedback()
        self._endpointer = Endpointer(self._frames(settings.min_speech))

    @property
    def doubts(self) -> bool:
        """True while the VAD hears a voice without words: no utterance is open, but windows are cut."""
        return self._doubtful is not None

    def state(self) -> SegmentState:
        """Return the state."""
        return SegmentState(
            origin=self._cutter.origin,
            position=self.position,
            closed=self._closed,
            silent_from=self._silent_from,
            number=self.number,
            history=self.history.state(),
            endpointer=self._endpointer.state(),
        )

    def resume(self, state: SegmentState) -> None:
        """Continue a segment that began elsewhere."""
        self._cutter.origin = Samples(state.origin)
        self.position, self._closed, self._silent_from = state.position, state.closed, state.silent_from
        self.number = state.number
        self.history.resume(state.history)
        self._endpointer.resume(state.endpointer)

    def take(self, answer: Answer) -> None:
        """Take what was heard in a window that `asks`. It takes effect when `answer.due` is reached, or at once if
        that has passed.
        """
        self._feedback.tell(answer, self._open or self._doubtful)

    def use(self, settings: SegmenterSettings) -> None:
        """Apply other settings from the next frame on. Window and context cannot change."""
        self._hangover.use(settings, self._open)
        if settings.min_speech != self._settings.min_speech:
            self._endpointer.resize(self._frames(settings.min_speech))
        self._settings = self._cutter.settings = settings

    def advance(self, frame: FloatArray, *, voiced: bool) -> list[Onset | Window]:
        """Take the VAD's decision on the next frame `(n,)` of the history; return the onset and the windows it leads
        to.
        """
        self.position += len(frame)
        self._feedback.weigh(self.position, self._open or self._doubtful)
        changed = self._endpointer.accept(voiced, 1 if voiced else self._frames(self._limit()))
        if self._open is None:
            return self._doubt(frame, voiced, changed) if self._doubtful else self._wait(changed)
        spoken = self._open
        if voiced:
            self._hangover.spoke(len(frame), spoken.quiet * len(frame))
        spoken.add(frame, voiced=voiced)
        if changed:
            return self._close("silence", self._cutter.whole(spoken))
        return self._wordless(spoken) or self._commit(spoken) or self._cut_overlong() or self._glimpse(spoken)

    def end(self, reason: str) -> list[Onset | Window]:
        """Close the open utterance, if any, with the audio so far."""
        return self._close(reason, self.history.end) if self._open else []

    def forget(self) -> None:
        """Drop the audio that no window will need."""
        settings, oldest = self._settings, self.position
        if self._open:
            oldest = self._open.committed
        else:
            if self._doubtful:
                oldest = self._doubtful.committed
            oldest = min(oldest, self.position - settings.pre_roll - settings.min_speech - self._frame)
        self.history.forget(oldest - settings.window)

    def _frames(self, length: float) -> int:
        """Return the smallest number of frames at least as long as `length`."""
        return max(1, math.ceil(length / self._frame))

    def _commit(self, spoken: OpenUtterance) -> list[Onset | Window]:
        """Return the full windows. In a pause they wait as long as one final window can take all that is left: it may
        come any time, and would have to wait for them.
        """
        return [] if spoken.quiet and self._cutter.spare(spoken) else [*self._cutter.full(spoken)]

    def _glimpse(self, spoken: OpenUtterance) -> list[Onset | Window]:
        """Return a provisional window if one is due. In a pause the recogniser is asked once, with a probe; no other
        window follows it, because the probe shows all that was said.
        """
        if not spoken.quiet:
            asks = self._feedback.presses(spoken, seeking=overlong.sought(spoken, self._settings))
            return [*(self._cutter.probe(spoken) if asks else self._cutter.preview(spoken))]
        probe = self._frames(PROBE)
        if spoken.quiet > probe:
            return []
        windows = self._cutter.probe(spoken) if spoken.quiet == probe else self._cutter.preview(spoken)
        left = Samples(self._endpointer.left(self._frames(self._limit())) * self._frame)
        return [replace(window, time_left=left) for window in windows]

    def _limit(self) -> float:
        """Return the silence that ends the open utterance."""
        return self._hangover.limit(self._open, self.position, self._feedback.latest)

    def _wait(self, changed: bool) -> list[Onset | Window]:
        if not changed:
            return []
        first_voiced = self.position - (self._endpointer.lookback + 1) * self._frame
        self._hangover.began(first_voiced - self._silent_from)
        start = first_voiced - self._settings.pre_roll  # the pre-roll may just have been raised: not all of it was kept
        return [self._begin(max(start, self._closed, self._cutter.earliest))]

    def _doubt(self, frame: FloatArray, voiced: bool, changed: bool) -> list[Onset | Window]:
        """Ask the recogniser for words while the VAD hears a voice that had none; begin an utterance if there are
        some.
        """
        assert self._doubtful
        noise = self._doubtful
        noise.add(frame, voiced=voiced)
        if changed:
            self._doubtful = None
            self._feedback.forget()
            return []
        start = noise.onset(self._feedback.words, self._settings.pre_roll)
        return [*noise.probe(self._cutter)] if start is None else [self._begin(start)]

    def _begin(self, start: int) -> Onset:
        self._open = OpenUtterance.at(self.number, start, self.position)
        self._open.moments.add(self.history.slice(start, self.position))
        self._doubtful = None
        self._feedback.forget()
        self.number += 1
        return Onset(self._open.number, Samples(start))

    def _wordless(self, spoken: OpenUtterance) -> list[Onset | Window]:
        """End an utterance in which the VAD still hears a voice, but the recogniser no words."""
        if not wordless.over(spoken, self._feedback, self._settings):
            return []
        available = self._cutter.whole(spoken)
        end = wordless.end(spoken, self._settings.tail, self._frame)
        found = self._close("silence", available, end=end)
        self._doubtful = Noise.after(spoken, end)
        return found

    def _cut_overlong(self) -> list[Onset | Window]:
        """Cut an utterance that has become too long; the next one follows it directly."""
        assert self._open
        spoken = self._open
        cut = overlong.place(spoken, self._feedback.words, self.history, self._settings)
        if cut is None:
            return []
        if spoken.heard <= cut:
            self._endpointer.switch(speaking=False)
            return self._close("length", self._cutter.whole(spoken))
        windows = self._close("length", self.position, end=cut)
        onset = self._begin(cut)
        self._open.heard, self._open.quiet, self._open.limit = spoken.heard, spoken.quiet, spoken.limit
        return [*windows, onset]

    def _close(self, reason: str, available: int, end: int | None = None) -> list[Onset | Window]:
        """End the utterance at `end`, or after its tail if None; audio up to `available` may serve as context."""
        assert self._open
        if end is None:
            end = min(self._open.heard + self._settings.tail, available)
        windows = self._cutter.rest(self._open, end, available, reason)
        self._silent_from, self._closed = self._open.heard, end
        self._open = None
        self._feedback.forget()
        return [*windows]

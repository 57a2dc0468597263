"""Cuts a stream into utterances.

Pure: audio in, windows out. It knows no clock and no thread, and for the same audio gives the same
windows however the audio was chunked.
"""

from asrd.core.flow import FloatArray, Onset, Window
from asrd.core.units import Samples, samples
from asrd.daemon.endpoint import Endpointer
from asrd.daemon.history import History
from asrd.daemon.settings import SegmenterSettings
from asrd.daemon.utterance import OpenUtterance
from asrd.daemon.vad import Vad
from asrd.daemon.windows import Cutter
from asrd.models import Geometry

SEEK = samples(4.0)
"""How long before the limit a pause is good enough to cut an over-long utterance in."""


class Segmenter:
    """One stream's segmentation. Windows of an utterance are cut in order, the last with `last`.

    A stretch of the stream begins with its first sample, or the first after a gap.
    """

    def __init__(self, vad: Vad, geometry: Geometry, settings: SegmenterSettings | None = None) -> None:
        self._vad = vad
        self._geometry = geometry
        self._settings = settings or SegmenterSettings()
        self._utterances = 0
        self._begin_stream(Samples(0))

    @property
    def position(self) -> Samples:
        """Stream position up to which audio was judged."""
        return Samples(self._position)

    def push(self, pcm: FloatArray) -> list[Onset | Window]:
        """Take the next `(n,)` samples of the stream, any `n`."""
        self._history.append(pcm)
        found: list[Onset | Window] = []
        while self._history.end - self._position >= self._vad.frame:
            frame = self._history.view(self._position, self._position + self._vad.frame)
            self._position += self._vad.frame
            found += self._judge(frame)
        self._history.forget(self._needed_from())
        return found

    def gap(self, start: Samples, reason: str = "gap") -> list[Onset | Window]:
        """The stream is broken: close the open utterance; the next sample is at position `start`."""
        found = self._close(reason, self._history.end) if self._open else []
        self._begin_stream(start)
        return found

    def flush(self) -> list[Onset | Window]:
        """The stream has ended: close the open utterance with what there is."""
        return self._close("end", self._history.end) if self._open else []

    def _begin_stream(self, origin: int) -> None:
        frame, settings = self._vad.frame, self._settings
        self._position = self._closed = origin
        self._history = History(Samples(origin))
        self._cutter = Cutter(self._geometry, settings, self._history)
        self._open: OpenUtterance | None = None
        self._vad.reset()
        self._endpointer = Endpointer(
            onset=max(1, round(settings.min_speech / frame)), hangover=max(1, round(settings.hangover / frame))
        )

    def _judge(self, frame: FloatArray) -> list[Onset | Window]:
        """Advance by one VAD frame, which ends at `_position`."""
        voiced = self._vad.is_speech(frame)
        changed = self._endpointer.accept(voiced)
        if self._open is None:
            if not changed:
                return []
            first_voiced = self._position - (self._endpointer.lookback + 1) * self._vad.frame
            return [self._begin(max(first_voiced - self._settings.pre_roll, self._closed))]
        self._open.hear(frame, voiced=voiced)
        if changed:
            return self._close("silence", self._cutter.whole(self._open))
        return [*self._cutter.full(self._open)] or self._limit() or [*self._cutter.preview(self._open)]

    def _begin(self, start: int) -> Onset:
        now = self._position
        self._open = OpenUtterance(
            self._utterances, start, committed=start, judged=now, heard=now, previewed=start, previewed_end=start
        )
        self._open.moments.add(self._history.slice(start, now))
        self._utterances += 1
        return Onset(self._open.number, Samples(start))

    def _limit(self) -> list[Onset | Window]:
        """Cut an utterance that has become too long; the next one follows it directly.

        In a pause if one comes in time, else wherever the speaker is.
        """
        assert self._open
        spoken, latest = self._open, self._position - self._settings.right_context
        length, limit = self._position - spoken.start, self._settings.max_utterance
        cut = spoken.pause if spoken.committed < spoken.pause <= latest else latest
        early = cut == spoken.pause and length >= limit - min(SEEK, limit // 4)
        if (length < limit and not early) or cut <= spoken.committed:
            return []
        if spoken.heard <= cut:
            self._endpointer.switch(speaking=False)
            return self._close("length", self._cutter.whole(spoken))
        windows = self._close("length", self._position, end=cut)
        onset = self._begin(cut)
        self._open.heard = spoken.heard
        return [*windows, onset]

    def _close(self, reason: str, available: int, end: int | None = None) -> list[Onset | Window]:
        """End the utterance at `end`, or after its tail; audio up to `available` may serve as context."""
        assert self._open
        if end is None:
            end = min(self._open.heard + self._settings.tail, available)
        windows = self._cutter.rest(self._open, end, available, reason)
        self._open, self._closed = None, end
        return [*windows]

    def _needed_from(self) -> int:
        """The oldest sample that a window may still want."""
        settings = self._settings
        lookback = settings.pre_roll + settings.min_speech + self._vad.frame
        oldest = self._open.committed if self._open else self._position - lookback
        return oldest - settings.window

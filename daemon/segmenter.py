"""Cuts a stream into utterances, and utterances into windows.

Pure: audio in, windows out. It knows no clock and no thread, and for the same audio gives the same
windows however the audio was chunked.
"""

from dataclasses import dataclass, field

import numpy as np

from asrd.core.flow import FloatArray, Onset, Window
from asrd.core.units import Samples, samples
from asrd.daemon.endpoint import Endpointer
from asrd.daemon.history import History
from asrd.daemon.level import Moments
from asrd.daemon.settings import SegmenterSettings
from asrd.daemon.vad import Vad
from asrd.models import Geometry

PAUSE = 3
"""Frames without voice that make a place to cut an over-long utterance."""

SEEK = samples(4.0)
"""How long before the limit such a place is good enough."""


@dataclass(slots=True)
class _Utterance:
    """committed: audio before this is in windows already. heard: end of the last voiced frame.
    previewed, previewed_heard: position and `heard` when the last window was cut. quiet: frames
    without voice up to now. pause: the middle of the last pause of `PAUSE` frames.
    """

    number: int
    start: int
    committed: int
    heard: int
    previewed: int
    previewed_heard: int
    quiet: int = 0
    pause: int = -1
    moments: Moments = field(default_factory=Moments)


class Segmenter:
    """One stream's segmentation. Windows of an utterance are cut in order, the last with `last`.

    The frames of all windows lie on one grid: window starts are multiples of the model's stride
    away from the stream's origin (its first sample, or the first after a gap). Away from the
    origin and from the stream's end every window is exactly `settings.window` samples long.
    """

    def __init__(self, vad: Vad, geometry: Geometry, settings: SegmenterSettings | None = None) -> None:
        self._vad = vad
        self._geometry = geometry
        self._settings = settings or SegmenterSettings()
        self._hop = self._settings.hop(geometry)
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
        self._origin = self._position = self._closed = origin
        self._history = History(Samples(origin))
        self._open: _Utterance | None = None
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
        self._open.moments.add(frame)
        self._open.quiet = 0 if voiced else self._open.quiet + 1
        if voiced:
            self._open.heard = self._position
        elif self._open.quiet == PAUSE:
            self._open.pause = self._position - PAUSE * self._vad.frame // 2
        if changed:
            return self._close("silence", self._whole())
        return self._commit() or self._limit() or self._preview()

    def _begin(self, start: int) -> Onset:
        self._open = _Utterance(self._utterances, start, start, self._position, start, start)
        self._open.moments.add(self._history.slice(start, self._position))
        self._utterances += 1
        return Onset(self._open.number, Samples(start))

    def _commit(self) -> list[Onset | Window]:
        """Cut the windows that are full of speech. Never to the last voiced frame: what follows
        the right context stays open, so that the final window has something to keep.
        """
        assert self._open
        windows: list[Onset | Window] = []
        while True:
            keep_end = self._open.committed + self._hop
            end = self._grid_after(keep_end + self._settings.right_context)
            if end > self._open.heard:
                return windows
            windows.append(self._cut(keep_end, end))

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
            return self._close("length", self._whole())
        windows = self._close("length", self._position, end=cut)
        onset = self._begin(cut)
        self._open.heard = spoken.heard
        return [*windows, onset]

    def _preview(self) -> list[Onset | Window]:
        """Now and then, a window of what is still open, if more was heard since the last one."""
        assert self._open
        interval, spoken = self._settings.partial_interval, self._open
        if not interval or self._position - spoken.previewed < interval or spoken.heard == spoken.previewed_heard:
            return []
        audible = spoken.heard + self._settings.tail
        end = min(self._grid_before(self._position), self._grid_after(audible))
        room = self._settings.window - self._settings.left_context // 2
        if not self._geometry.receptive_field <= end - spoken.committed <= room:
            return []
        return [self._cut(min(end, audible), end, provisional=True)]

    def _close(self, reason: str, available: int, end: int | None = None) -> list[Onset | Window]:
        """Cut all that remains of the utterance; audio up to `available` may serve as context."""
        assert self._open
        settings, spoken = self._settings, self._open
        end = min(spoken.heard + settings.tail, available) if end is None else end
        windows: list[Onset | Window] = []
        while end - spoken.committed > self._hop:
            keep_end = spoken.committed + self._hop
            context = self._grid_after(keep_end + settings.right_context)
            if context > available:  # the stream ends here: less context, but all frames
                context = self._grid_before(available)
                keep_end = min(keep_end, context - self._geometry.receptive_field)
            windows.append(self._cut(keep_end, context))
        context = min(self._grid_after(end + settings.right_context), self._grid_before(available))
        if context < end:
            context = available
        windows.append(self._cut(end, context, reason=reason))
        self._open, self._closed = None, end
        return windows

    def _cut(self, keep_end: int, end: int, *, provisional: bool = False, reason: str = "") -> Window:
        """The window that ends at `end` and keeps `[committed, keep_end)`."""
        assert self._open
        spoken = self._open
        start = self._align(max(end - self._settings.window, self._origin))
        pcm = self._history.slice(start, end)
        missing = self._geometry.receptive_field - len(pcm)
        if missing > 0:  # a whole stream shorter than one frame of the model
            pcm = np.pad(pcm, (0, missing))
        window = Window(
            utterance=spoken.number,
            start=Samples(start),
            pcm=pcm,
            left=Samples(spoken.committed - start),
            right=Samples(start + len(pcm) - keep_end),
            level=spoken.moments.level(),
            provisional=provisional,
            last=bool(reason),
            reason=reason,
            speech_end=Samples(spoken.heard),
        )
        spoken.previewed, spoken.previewed_heard = self._position, spoken.heard
        if not provisional:
            spoken.committed = keep_end
        return window

    def _whole(self) -> int:
        """The end of the audio that full windows can reach, and of all that was heard."""
        assert self._open
        return max(self._open.heard, self._grid_before(self._position))

    def _align(self, position: int) -> int:
        """The first grid position at or after `position`."""
        return position + (self._origin - position) % self._geometry.stride

    def _grid_after(self, position: int) -> int:
        """The first position at or after `position` at which a full window on the grid may end."""
        return self._align(position - self._settings.window) + self._settings.window

    def _grid_before(self, position: int) -> int:
        """The last such position at or before `position`."""
        return self._grid_after(position - self._geometry.stride + 1)

    def _needed_from(self) -> int:
        """The oldest sample that a window may still want."""
        settings = self._settings
        lookback = settings.pre_roll + settings.min_speech + self._vad.frame
        oldest = self._open.committed if self._open else self._position - lookback
        return oldest - settings.window

"""Cuts what an utterance says into windows for the model."""

import numpy as np

from asrd.core.flow import Window
from asrd.core.units import Samples, samples
from asrd.daemon.segmentation.history import History
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.segmentation.utterance import OpenUtterance
from asrd.models import Geometry

SILENT = samples(0.20)
"""The most right context of what ends in silence: its tail is silence already, and left context does more. Measured on
247 clips: with 0, 0.1, 0.2 and 0.4 s the errors differ by less than 0.1 in 100 letters.
"""


class Cutter:
    """Windows of one unbroken segment of a stream, which begins at position `origin`.

    The frames of all windows lie on one grid: window starts are multiples of the model's stride
    away from the origin. Away from the origin and from the segment's end every window is exactly
    `settings.window` samples long.
    """

    def __init__(self, geometry: Geometry, settings: SegmenterSettings, history: History) -> None:
        self._geometry = geometry
        self.settings = settings
        self._history = history
        self.origin = history.start
        settings.check(geometry)

    @property
    def earliest(self) -> int:
        """The first position at which an utterance may begin now: of one that began before, a window would want audio
        that is forgotten.
        """
        forgotten = self._history.start > self.origin
        return self._history.start + self.settings.window if forgotten else self.origin

    def full(self, spoken: OpenUtterance) -> list[Window]:
        """The windows that can be filled, right context included, as far as speech was heard: something
        stays open for the final window to keep. The first window of a segment waits until it is as long
        as all others, and leaves room for a final one to end after it.
        """
        settings = self.settings
        first = self.origin + settings.window - settings.right_context - settings.tail
        windows: list[Window] = []
        while True:
            keep_end = max(spoken.committed + settings.hop, first)
            end = max(self._grid_after(keep_end + settings.right_context), self.origin + settings.window)
            if end > spoken.judged or keep_end >= spoken.heard:
                return windows
            windows.append(self._cut(spoken, keep_end, end))

    def preview(self, spoken: OpenUtterance) -> list[Window]:
        """Now and then, a window of what is still open, if it reaches further than the last one."""
        settings = self.settings
        if not settings.partial_interval or spoken.judged - spoken.previewed < settings.partial_interval:
            return []
        audible = spoken.heard + settings.tail
        room = spoken.committed + settings.window - self._geometry.receptive_field - self._geometry.stride
        end = min(self._grid_before(min(spoken.judged, room)), self._grid_after(audible))
        if end <= spoken.previewed_end or end - spoken.committed < self._geometry.receptive_field:
            return []
        return [self._cut(spoken, min(end, audible), end, provisional=True)]

    def probe(self, spoken: OpenUtterance) -> list[Window]:
        """A window of what is still open up to now, if there is room for it in one."""
        end = self._grid_before(spoken.judged)
        if not self._geometry.receptive_field <= end - spoken.committed <= self.settings.window:
            return []
        keep_end = min(end, spoken.heard + self.settings.tail)
        return [self._cut(spoken, keep_end, end, provisional=True, probe=True)]

    def rest(self, spoken: OpenUtterance, end: int, available: int, reason: str) -> list[Window]:
        """All that remains of an utterance that ends at `end`; audio up to `available` may serve as context.

        That is one window, unless hop, right context and tail together are longer than a window.
        """
        right, windows = self._right(silent=reason == "silence"), list[Window]()
        last = min(self._grid_after(end + right), self._grid_before(available))
        if last < end:  # the stream ends here
            last = available
        while not self._reaches(spoken, last):
            keep_end = min(spoken.committed + self.settings.hop, end - self._geometry.stride)
            context = self._grid_after(keep_end + right)
            if context > available:
                context = self._grid_before(available)
                keep_end = min(keep_end, context - self._geometry.receptive_field)
            windows.append(self._cut(spoken, keep_end, context))
        return [*windows, self._cut(spoken, end, last, reason=reason)]

    def spare(self, spoken: OpenUtterance) -> bool:
        """Whether one window can take all that is left, if speech has ended."""
        return self._reaches(spoken, self._grid_after(spoken.heard + self.settings.tail + self._right(silent=True)))

    def whole(self, spoken: OpenUtterance) -> int:
        """The end of the audio that full windows can reach, and of all that was heard."""
        return max(spoken.heard, self._grid_before(spoken.judged))

    def _right(self, *, silent: bool) -> int:
        """The right context of a last window."""
        least = max(SILENT, self._geometry.receptive_field)
        return min(self.settings.right_context, least) if silent else self.settings.right_context

    def _reaches(self, spoken: OpenUtterance, end: int) -> bool:
        """Whether a window that ends at `end` holds all that is not committed, and hears its first frame whole."""
        return self._start(end) <= max(spoken.committed - self._geometry.receptive_field, self.origin)

    def _cut(
        self,
        spoken: OpenUtterance,
        keep_end: int,
        end: int,
        *,
        provisional: bool = False,
        probe: bool = False,
        reason: str = "",
    ) -> Window:
        """The window that ends at `end` and keeps `[committed, keep_end)`."""
        start = self._start(end)
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
            probe=probe,
            last=bool(reason),
            reason=reason,
            speech_end=Samples(spoken.heard),
        )
        spoken.previewed, spoken.previewed_end = spoken.judged, end
        if not provisional:
            spoken.committed = keep_end
        return window

    def _start(self, end: int) -> int:
        """Where a window that ends at `end` starts."""
        return self._align(max(end - self.settings.window, self.origin))

    def _align(self, position: int) -> int:
        """The first grid position at or after `position`."""
        return position + (self.origin - position) % self._geometry.stride

    def _grid_after(self, position: int) -> int:
        """The first position at or after `position` at which a full window on the grid may end."""
        return self._align(position - self.settings.window) + self.settings.window

    def _grid_before(self, position: int) -> int:
        """The last such position at or before `position`."""
        return self._grid_after(position - self._geometry.stride + 1)

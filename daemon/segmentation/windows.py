"""Cut utterances into windows for the model."""

import numpy as np

from asrd.core.flow import Window
from asrd.core.units import Samples, samples
from asrd.daemon.segmentation.history import History
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.segmentation.utterance import OpenUtterance
from asrd.models import Geometry

SILENT = samples(0.20)
"""Maximum right context of an utterance's last window if it ends in silence: the tail is silent already, and left
context helps more. Measured on 247 clips: with 0, 0.1, 0.2 and 0.4 s the errors differ by less than 0.1 per 100
letters.
"""


class Cutter:
    """Cut the windows of one unbroken segment of a stream, which begins at position `origin`.

    The frames of all windows lie on one grid: the distance of a window's start from the origin is a multiple of the
    model's stride. Except near the origin and the segment's end, every window is exactly `settings.window` samples
    long.
    """

    def __init__(self, geometry: Geometry, settings: SegmenterSettings, history: History) -> None:
        self._geometry = geometry
        self.settings = settings
        self._history = history
        self.origin = history.start
        settings.check(geometry)

    @property
    def earliest(self) -> int:
        """The first position at which an utterance may begin now: a window of an earlier one would need audio that is
        forgotten.
        """
        forgotten = self._history.start > self.origin
        return self._history.start + self.settings.window if forgotten else self.origin

    def full(self, spoken: OpenUtterance) -> list[Window]:
        """Return the windows that can be filled, right context included, up to the last voiced frame: something stays
        open for the final window to keep. The first window of a segment waits until it is as long as all others,
        and leaves room for a final one to end after it.
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
        """Return a window of the uncommitted audio every `partial_interval` samples, if it reaches further than the
        last window.
        """
        settings = self.settings
        if not settings.partial_interval or spoken.judged - spoken.previewed < settings.partial_interval:
            return []
        audible = spoken.heard + settings.tail
        room = spoken.committed + settings.window - self._geometry.receptive_field - self._geometry.stride
        end = min(self._grid_before(min(spoken.judged, room)), self._grid_after(audible))
        if end <= spoken.previewed_end or end - spoken.committed < self._geometry.shortest:
            return []
        return [self._cut(spoken, min(end, audible), end, provisional=True)]

    def probe(self, spoken: OpenUtterance) -> list[Window]:
        """Return a window of the uncommitted audio up to now, if it fits into one."""
        end = self._grid_before(spoken.judged)
        if not self._geometry.shortest <= end - spoken.committed <= self.settings.window:
            return []
        keep_end = min(end, spoken.heard + self.settings.tail)
        return [self._cut(spoken, keep_end, end, provisional=True, probe=True)]

    def rest(self, spoken: OpenUtterance, end: int, available: int, reason: str) -> list[Window]:
        """Return the windows of the rest of an utterance that ends at `end`; audio up to `available` may serve as
        context.

        This is one window, unless hop, right context and tail together are longer than a window.
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
        """Return whether one window can take all that is left, if speech has ended."""
        return self._reaches(spoken, self._grid_after(spoken.heard + self.settings.tail + self._right(silent=True)))

    def whole(self, spoken: OpenUtterance) -> int:
        """Return the end of the audio that full windows can reach, but at least the end of the last voiced frame."""
        return max(spoken.heard, self._grid_before(spoken.judged))

    def _right(self, *, silent: bool) -> int:
        """Return the right context of a last window."""
        least = max(SILENT, self._geometry.receptive_field)
        return min(self.settings.right_context, least) if silent else self.settings.right_context

    def _reaches(self, spoken: OpenUtterance, end: int) -> bool:
        """Return whether a window that ends at `end` holds all uncommitted audio, and its first frame with full
        context.
        """
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
        """Cut the window that ends at `end` and keeps `[committed, keep_end)`."""
        start = self._start(end)
        pcm = self._history.slice(start, end)
        missing = self._geometry.shortest - len(pcm)
        if missing > 0:  # a whole stream shorter than what the model can compute
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
        """Return the start of a window that ends at `end`."""
        return self._align(max(end - self.settings.window, self.origin))

    def _align(self, position: int) -> int:
        """Return the first grid position at or after `position`."""
        return position + (self.origin - position) % self._geometry.stride

    def _grid_after(self, position: int) -> int:
        """Return the first position at or after `position` at which a full window on the grid may end."""
        return self._align(position - self.settings.window) + self.settings.window

    def _grid_before(self, position: int) -> int:
        """Return the last such position at or before `position`."""
        return self._grid_after(position - self._geometry.stride + 1)

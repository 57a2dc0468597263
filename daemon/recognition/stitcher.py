"""Join the emissions of overlapping windows, frame by frame."""

import numpy as np

from asrd.core.flow import Emission, Window
from asrd.core.units import Samples, samples
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.models import Geometry

SLACK = samples(0.20)
"""Largest distance before the end of its kept part at which a window may hand over to the next: two or
three letters.
"""

EVEN = 0.01
"""Difference in probability that does not count: of equally good places the latest is taken."""


class Stitcher:
    """Join the frames of one utterance. All frames lie on one grid, each is taken from exactly one window, and text
    is never compared.

    Nearly all frames whose receptive fields have their middle in a window's kept part are taken from that window. Two
    windows may hear a letter a frame or two apart; if one handed over to the next within a letter, that letter would
    be given twice or not at all. So a window hands over where it is surest that nothing is being said, in the last
    `SLACK` samples of its kept part, and the next one, which has heard what follows, gives the frames from there on.
    """

    def __init__(self, geometry: Geometry, blank: int) -> None:
        self._geometry = geometry
        self._blank = blank
        self._settled: list[Frames] = []
        self._held: Frames | None = None  # between the handover and the end of the kept part
        self._next = -1
        self._start = Samples(0)

    @property
    def until(self) -> Samples:
        """Stream position up to which frames are settled; below 0 before the first window."""
        return Samples(self._next)

    def add(self, window: Window, emission: Emission) -> tuple[Frames, int]:
        """Add a window's emission.

        Returns all frames known of the utterance, and the number of them that no later window will change. The others
        look ahead: those of a provisional window, and those behind the place where a committed window hands over,
        which the next window will hear better.
        """
        stride = self._geometry.stride
        origin = emission.start + self._geometry.receptive_field // 2 - stride // 2
        if self._next < 0:
            self._start = window.keep_start
            self._next = origin + stride * max(self._first_frame(window.keep_start, emission), 0)
        bounds = self._start, window.keep_end if window.last else window.end
        positions = origin + stride * np.arange(len(emission.log_probs), dtype=np.int64)
        frames = Frames(emission.log_probs, positions, bounds)
        end = self._first_frame(window.keep_end, emission)
        missed = self._missed(origin if len(frames) else origin + stride * end)
        first = min(max((self._next - origin) // stride, 0), len(frames))
        after = min(max(end, first), len(frames))
        cut = after if window.last else self._hand_over(emission, first, after)
        known = [*self._settled, *missed, frames.part(first, cut)]
        settled = sum(map(len, self._settled if window.provisional else known))
        if not window.provisional:
            self._settled, self._held = known, frames.part(cut, after)
            self._next = origin + stride * (cut if len(frames) else end)
        if not window.last:
            known = [*known, frames.part(cut, len(frames))]
        log_probs = np.concatenate([part.log_probs for part in known])
        return Frames(log_probs, np.concatenate([part.positions for part in known]), bounds), settled

    def _first_frame(self, position: int, emission: Emission) -> int:
        """Return the index of the first frame whose middle is at or after a stream position."""
        middle = emission.start + self._geometry.receptive_field // 2
        return -(-(position - middle) // self._geometry.stride)

    def _missed(self, origin: int) -> list[Frames]:
        """Return the frames that the previous window held back and this one, whose first frame is at `origin`, has
        not heard.
        """
        if self._held is None or origin <= self._next:
            return []
        return [self._held.part(0, (origin - self._next) // self._geometry.stride)]

    def _hand_over(self, emission: Emission, first: int, after: int) -> int:
        """Return the frame from which on the next window gives the frames: where the two frames around are surest to
        be blank, and among such places, where the four around are.
        """
        places = np.arange(max(first + 1, after - SLACK // self._geometry.stride), after + 1)
        blank = np.exp(emission.log_probs[:, self._blank])
        for reach in (1, 2):
            around = [blank[max(place - reach, 0) : place + reach] for place in places.tolist()]
            surest = np.array([probabilities.min(initial=1.0) for probabilities in around])
            places = places[surest >= surest.max(initial=0.0) - EVEN]
        return int(places[-1]) if len(places) else after

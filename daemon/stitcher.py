"""Joins the emissions of overlapping windows, frame by frame."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asrd.core.flow import Emission, FloatArray, Window
from asrd.models import Geometry


@dataclass(frozen=True, slots=True)
class Frames:
    """log_probs: float32 `(n, vocabulary)`. positions: int64 `(n,)`, the stream position where the
    stretch that each frame stands for begins; it is one stride long.
    """

    log_probs: FloatArray
    positions: npt.NDArray[np.int64]


class Stitcher:
    """The frames of one utterance.

    A frame belongs to the window whose kept part holds the middle of the frame's receptive field.
    Kept parts follow each other without gap or overlap and all frames lie on one grid, so every
    frame is taken from exactly one window, and text never has to be compared.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._committed: list[Frames] = []

    def add(self, window: Window, emission: Emission) -> tuple[Frames, int]:
        """Take in a window's emission.

        Returns all frames known of the utterance, and how many of them no later window will
        change. The others look ahead: those of a provisional window, and those over a committed
        window's right context, which the next window will hear better.
        """
        first, after = (self._first_frame(position, emission) for position in (window.keep_start, window.keep_end))
        kept, ahead = self._slice(emission, first, after), self._slice(emission, after, len(emission.log_probs))
        known = [*self._committed, kept]
        settled = sum(len(part.positions) for part in (self._committed if window.provisional else known))
        if not window.provisional:
            self._committed = known
        if not window.last:
            known = [*known, ahead]
        log_probs = np.concatenate([part.log_probs for part in known])
        return Frames(log_probs, np.concatenate([part.positions for part in known])), settled

    def _first_frame(self, position: int, emission: Emission) -> int:
        """Index of the first frame whose middle is at or after a stream position."""
        middle = emission.start + self._geometry.receptive_field // 2
        index = -(-(position - middle) // self._geometry.stride)
        return min(max(index, 0), len(emission.log_probs))

    def _slice(self, emission: Emission, first: int, after: int) -> Frames:
        stride = self._geometry.stride
        origin = emission.start + (self._geometry.receptive_field - stride) // 2
        return Frames(emission.log_probs[first:after], origin + stride * np.arange(first, after, dtype=np.int64))

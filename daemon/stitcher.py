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
        change: all but those of a provisional window.
        """
        kept = self._kept(window, emission)
        known = [*self._committed, kept]
        if not window.provisional:
            self._committed = known
        frames = Frames(
            np.concatenate([part.log_probs for part in known]), np.concatenate([part.positions for part in known])
        )
        return frames, len(frames.positions) - (len(kept.positions) if window.provisional else 0)

    def _kept(self, window: Window, emission: Emission) -> Frames:
        stride = self._geometry.stride
        middle = emission.start + self._geometry.receptive_field // 2
        first = max(-(-(window.keep_start - middle) // stride), 0)
        after = min(max(-(-(window.keep_end - middle) // stride), first), len(emission.log_probs))
        positions = middle - stride // 2 + stride * np.arange(first, after, dtype=np.int64)
        return Frames(emission.log_probs[first:after], positions)

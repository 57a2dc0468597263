"""The frames of an utterance, as decoders read them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asrd.core.flow import FloatArray
from asrd.core.units import Samples


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of an utterance. Each stands for a span of the stream, one stride long.

    log_probs: float32 `(n, vocabulary)`. positions: int64 `(n,)`, the stream position where each frame's span begins.
    bounds: stream positions between which the utterance lies, as far as known. The middle of each span lies between
    them; the first and the last span may reach beyond.
    """

    log_probs: FloatArray
    positions: npt.NDArray[np.int64]
    bounds: tuple[Samples, Samples]

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.positions)

    def part(self, first: int, after: int) -> "Frames":
        """Return the frames from `first` on, up to but without `after`."""
        return Frames(self.log_probs[first:after], self.positions[first:after], self.bounds)

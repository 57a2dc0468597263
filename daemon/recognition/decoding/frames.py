"""The frames of an utterance, as decoders read them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asrd.core.flow import FloatArray
from asrd.core.units import Samples


@dataclass(frozen=True, slots=True)
class Frames:
    """log_probs: float32 `(n, vocabulary)`. positions: int64 `(n,)`, the stream position where the
    stretch that each frame stands for begins; it is one stride long. bounds: stream positions between which
    the utterance lies, as far as it is known. The middle of each stretch does; the first and the last one may reach
    beyond them.
    """

    log_probs: FloatArray
    positions: npt.NDArray[np.int64]
    bounds: tuple[Samples, Samples]

    def __len__(self) -> int:
        """How many."""
        return len(self.positions)

    def part(self, first: int, after: int) -> "Frames":
        """Those from `first` on, up to `after`."""
        return Frames(self.log_probs[first:after], self.positions[first:after], self.bounds)

"""Greedy CTC decoding: the likeliest label of each frame.

Graves et al. 2006, "Connectionist temporal classification", section 3.2, "best path decoding".
"""

from asrd.core.flow import Hypothesis
from asrd.core.units import Samples
from asrd.daemon.decoding.path import follow
from asrd.daemon.stitcher import Frames
from asrd.models import Vocabulary


class GreedyDecoder:
    """Needs no memory: frames that are appended append to the path, and so only ever to its text."""

    def __init__(self, vocabulary: Vocabulary, stride: Samples) -> None:
        self._vocabulary, self._stride = vocabulary, stride

    def decode(self, frames: Frames, settled: int, last: bool) -> Hypothesis:
        """The words of the best path."""
        return follow(frames.log_probs.argmax(axis=1), frames, self._vocabulary, self._stride, settled)

"""Greedy CTC decoding: the likeliest label of each frame.

Graves et al. 2006, "Connectionist temporal classification", section 3.2, "best path decoding".
"""

from asrd.core.flow import Hypothesis
from asrd.core.units import Samples
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.path import follow
from asrd.models import Vocabulary
from asrd.models.calibration import UNCALIBRATED, Calibration


class GreedyDecoder:
    """Decode greedily, without memory: later frames only append to the path, and so only append to its text."""

    def __init__(self, vocabulary: Vocabulary, stride: Samples, calibration: Calibration = UNCALIBRATED) -> None:
        self._vocabulary, self._stride, self._calibration = vocabulary, stride, calibration

    def decode(self, frames: Frames, settled: int, last: bool) -> Hypothesis:
        """Return the words of the best path."""
        labels = frames.log_probs.argmax(axis=1)
        return follow(labels, frames, self._vocabulary, self._stride, settled, calibration=self._calibration)

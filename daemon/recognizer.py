"""One stream's recognition state: windows and their emissions in, hypotheses out."""

from collections.abc import Sequence

import numpy as np

from asrd.backends import Backend
from asrd.core.flow import Emission, Hypothesis, Window
from asrd.daemon.ctc import greedy, log_softmax
from asrd.daemon.level import normalize
from asrd.daemon.stitcher import Stitcher
from asrd.models import ModelDirectory


def recognize(backend: Backend, windows: Sequence[Window]) -> list[Emission]:
    """Run windows of equal length through a backend in one call. Raises BackendError."""
    model = backend.model
    batch = np.stack([normalize(window.pcm, window.level) if model.normalize else window.pcm for window in windows])
    log_probs = log_softmax(backend.logits(batch))
    return [Emission(log_probs[row], window.start, model.geometry.stride) for row, window in enumerate(windows)]


def silent(window: Window, model: ModelDirectory) -> Emission:
    """An emission without frames, for a window that could not be recognised."""
    return Emission(np.zeros((0, len(model.vocabulary)), np.float32), window.start, model.geometry.stride)


class Recognizer:
    """Turns the emissions of one stream's windows, in their order, into hypotheses."""

    def __init__(self, model: ModelDirectory) -> None:
        self._model = model
        self._stitcher = Stitcher(model.geometry)

    def accept(self, window: Window, emission: Emission) -> Hypothesis:
        """What is known of the window's utterance now; final if `window.last`."""
        frames, settled = self._stitcher.add(window, emission)
        if window.last:
            self._stitcher = Stitcher(self._model.geometry)
        return greedy(frames, self._model.vocabulary, self._model.geometry.stride, settled)

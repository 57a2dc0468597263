"""One stream's recognition state: windows and their emissions in, hypotheses out."""

import math
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from asrd.backends import LoadedModel
from asrd.core.flow import Emission, FloatArray, Hypothesis, Level, Window
from asrd.core.units import Samples
from asrd.daemon.recognition.decoding import Boosts, Decoder, Decoding
from asrd.daemon.recognition.decoding.make import GreedyDecoding
from asrd.daemon.recognition.nonspeech import Evidence
from asrd.daemon.recognition.stitcher import Stitcher
from asrd.models import ModelDirectory


def normalize(pcm: FloatArray, level: Level) -> FloatArray:
    """Bring `(n,)` to zero mean and unit variance; 1e-7 as in transformers' Wav2Vec2FeatureExtractor."""
    return ((pcm - level.mean) / math.sqrt(level.deviation**2 + 1e-7)).astype(np.float32)


def log_softmax(logits: FloatArray) -> FloatArray:
    """Return the log-probabilities over the last axis, computed without overflow."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def recognize(backend: LoadedModel, windows: Sequence[Window]) -> list[Emission]:
    """Run windows of equal length through a backend in one call. Raises BackendError."""
    model = backend.model
    batch = np.stack([normalize(window.pcm, window.level) if model.normalize else window.pcm for window in windows])
    log_probs = log_softmax(backend.logits(batch))
    return [Emission(log_probs[row], window.start, model.geometry.stride) for row, window in enumerate(windows)]


def silent(window: Window, model: ModelDirectory) -> Emission:
    """Return an emission without frames, for a window that could not be recognised."""
    return Emission(np.zeros((0, len(model.vocabulary)), np.float32), window.start, model.geometry.stride)


NO_BOOSTS: Boosts = MappingProxyType({})


class Recognizer:
    """Turn the emissions of one stream's windows, in order, into hypotheses.

    decoding: makes the decoder of each utterance; greedy if None.
    """

    def __init__(self, model: ModelDirectory, decoding: Decoding | None = None) -> None:
        self._model = model
        self._decoding = decoding or GreedyDecoding(model)
        self._stitcher = Stitcher(model.geometry, model.vocabulary.blank)
        self._decoder: Decoder | None = None
        self._evidence = Evidence()

    @property
    def idle(self) -> bool:
        """True if the next window begins an utterance."""
        return self._decoder is None

    @property
    def until(self) -> Samples:
        """Stream position up to which no later window changes the result; below 0 between utterances."""
        return self._stitcher.until

    def accept(self, window: Window, emission: Emission, boosts: Boosts = NO_BOOSTS) -> Hypothesis:
        """Return the hypothesis of the window's utterance so far; final if `window.last`.

        boosts: hot words, which matter only if the window begins an utterance.
        """
        self._decoder = self._decoder or self._decoding.begin(boosts)
        frames, settled = self._stitcher.add(window, emission)
        hypothesis = self._evidence.weigh(window, self._decoder.decode(frames, settled, window.last))
        if window.last:
            model = self._model
            self._stitcher = Stitcher(model.geometry, model.vocabulary.blank)
            self._decoder, self._evidence = None, Evidence()
        return hypothesis

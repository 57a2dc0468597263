"""A loaded model: audio in, logits out."""

from abc import ABC, abstractmethod

import numpy as np

from asrd.core.errors import BackendError, passes, reason
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory


class LoadedModel(ABC):
    """One model on one device, ready to infer. Used from one thread at a time."""

    def __init__(self, model: ModelDirectory) -> None:
        self.model = model

    @property
    @abstractmethod
    def arithmetic(self) -> str:
        """The number format of the computation on this machine, for example "f32", "bf16", "int8"."""

    @abstractmethod
    def infer(self, batch: FloatArray) -> FloatArray:
        """Turn audio `(batch, samples)` into logits `(batch, frames, vocabulary)`, both float32.

        Override this one; call `logits`, which checks what goes in and what comes out.
        """

    def logits(self, batch: FloatArray) -> FloatArray:
        """Compute logits `(batch, frames, vocabulary)` from audio `(batch, samples)`, both float32.

        The audio must already be normalised if `model.normalize`. There are `model.geometry.frames` of the samples.
        Raises BackendError if the audio is too short for the model, if the runtime fails, or if it returns a
        shape other than the model's or values that are not finite.
        """
        frames = self.model.geometry.frames(batch.shape[1])
        if frames == 0:
            needed = self.model.geometry.shortest
            raise BackendError(f"a window of {batch.shape[1]} samples is too short; this model needs {needed}")
        try:
            result = np.asarray(self.infer(batch), np.float32)
        except BaseException as error:
            if passes(error):
                raise
            raise BackendError(f"{type(self).__name__} failed on {batch.shape}: {reason(error)}") from error
        expected = (batch.shape[0], frames, len(self.model.vocabulary))
        if result.shape != expected:
            raise BackendError(f"{type(self).__name__} answered with shape {result.shape} instead of {expected}")
        if not np.isfinite(result).all():
            raise BackendError(f"{type(self).__name__} answered with values that are not numbers")
        return result

    def close(self) -> None:  # noqa: B027 - optional to override
        """Release memory and devices; the backend is not used afterwards. Closing twice is harmless."""

    def warm_up(self, samples: int) -> None:
        """Compute one window, so that the first real one is not slow."""
        self.logits(np.zeros((1, samples), np.float32))

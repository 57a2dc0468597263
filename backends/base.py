"""The plugin boundary: what a backend is.

A backend turns audio into logits and knows nothing of streams, utterances or text. It registers
under the entry-point group `asrd.backends`:

    [project.entry-points."asrd.backends"]
    mine = "my_package.module:MyBackend"
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from asrd.core.errors import AsrdError, BackendError, reason
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """device: a runtime's own device name ("CPU"). threads: 0 leaves it to the runtime.
    cache: whether compiled models may be kept on disk for the next start.
    arithmetic: "f32" or "bf16" for what is computed in floating point; "" is the backend's choice.
    """

    device: str = "CPU"
    threads: int = 0
    cache: bool = True
    arithmetic: str = ""


class Backend(ABC):
    """One model, loaded on one device by one runtime. Used from one thread at a time."""

    requires: ClassVar[tuple[str, ...]] = ()
    """Modules that must be importable for this backend to work."""

    extra: ClassVar[str] = ""
    """The extra of asrd that installs `requires`; empty for third parties."""

    max_batch: ClassVar[int] = 1
    """Windows of equal length worth sending in one call."""

    def __init__(self, model: ModelDirectory) -> None:
        self.model = model

    @classmethod  # noqa: B027 - optional to override
    def check(cls, options: LoadOptions) -> None:
        """Raise UsageError where `options` name what is not here, such as a device. Loads no model."""

    @classmethod  # noqa: B027 - optional to override
    def check_model(cls, model: ModelDirectory) -> None:
        """Raise ModelError where `model` lacks what this backend loads. Loads nothing."""

    @classmethod
    @abstractmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """Load `model`. Raises BackendError or ModelError with a one-line remedy."""

    @property
    @abstractmethod
    def arithmetic(self) -> str:
        """What the numbers are computed in on this machine, for example "f32", "bf16", "int8"."""

    @abstractmethod
    def _run(self, batch: FloatArray) -> FloatArray:
        """`(batch, samples)` float32 to logits `(batch, frames, vocabulary)` float32."""

    def logits(self, batch: FloatArray) -> FloatArray:
        """Logits `(batch, frames, vocabulary)` of audio `(batch, samples)`, both float32.

        The audio is normalised already if `model.normalize`. Frames are `model.geometry.frames`
        of the samples. Raises BackendError when the audio is shorter than the receptive field, when
        the runtime fails, or when it answers with another shape than the model's own or with NaN.
        """
        frames = self.model.geometry.frames(batch.shape[1])
        if frames == 0:
            needed = self.model.geometry.receptive_field
            raise BackendError(f"a window of {batch.shape[1]} samples is too short; this model needs {needed}")
        try:
            result = np.asarray(self._run(batch), np.float32)
        except AsrdError:
            raise
        except Exception as error:
            raise BackendError(f"{type(self).__name__} failed on {batch.shape}: {reason(error)}") from error
        expected = (batch.shape[0], frames, len(self.model.vocabulary))
        if result.shape != expected:
            raise BackendError(f"{type(self).__name__} answered with shape {result.shape} instead of {expected}")
        if not np.isfinite(result).all():
            raise BackendError(f"{type(self).__name__} answered with values that are not numbers")
        return result

    def close(self) -> None:  # noqa: B027 - optional to override
        """Give back memory and devices; the backend is not used afterwards. Closing twice is harmless."""

    def warm_up(self, samples: int) -> None:
        """Answer once, so that the first real window is not the slow one."""
        self.logits(np.zeros((1, samples), np.float32))

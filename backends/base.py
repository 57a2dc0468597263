"""The plugin interface: the base class of all backends.

A backend turns audio into logits and knows nothing of streams, utterances or text. It registers under the entry-point
group `asrd.backends`:

    [project.entry-points."asrd.backends"]
    mine = "my_package.module:MyBackend"
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

from asrd.backends.loaded import LoadedModel
from asrd.models import ModelDirectory


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Options for loading a model.

    device: the runtime's own name of a device ("CPU"). threads: 0 leaves the number to the runtime. cache: whether
    compiled models may be kept on disk for the next start. arithmetic: one of the backend's `arithmetics`, for what is
    computed in floating point; "" leaves the choice to the backend. model_server: URL of a model on a server, for a
    backend that is its client. model_server_token, model_server_ca: files of the bearer token, and of the certificates
    to trust.
    """

    device: str = "CPU"
    threads: int = 0
    cache: bool = True
    arithmetic: str = ""
    model_server: str = ""
    model_server_token: str = ""
    model_server_ca: str = ""


class Backend(LoadedModel):
    """A runtime that asrd finds by name, and that loads models. Override `load`, `infer` and `arithmetic`."""

    requires: ClassVar[tuple[str, ...]] = ()
    """Modules that must be importable for this backend to work."""

    extra: ClassVar[str] = ""
    """The extra of asrd that installs `requires`; empty for third parties."""

    arithmetics: ClassVar[tuple[str, ...]] = ()
    """Kinds of floating-point arithmetic that `LoadOptions` may ask for, such as "f32"; none if there is no choice."""

    max_batch: ClassVar[int] = 1
    """Windows of equal length worth sending in one call."""

    @classmethod
    def check(cls, options: LoadOptions) -> None:
        """Raise UsageError if `options` name something that is not here, such as a device. Loads no model."""

    @classmethod
    def check_model(cls, model: ModelDirectory) -> None:
        """Raise ModelError if `model` lacks what this backend loads. Loads nothing."""

    @classmethod
    @abstractmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """Load `model`. Raises BackendError or ModelError with a one-line remedy."""

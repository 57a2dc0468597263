"""Geometry of a convolutional front end, which turns samples into frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from asrd.core.errors import ModelError
from asrd.core.units import Samples


@dataclass(frozen=True, slots=True)
class Geometry:
    """Kernel and stride of each front-end convolution, none of them padded.

    Frame `i` sees samples `[i * stride, i * stride + receptive_field)`.

    squeeze: frames that the network averages into one, and makes of one again at its end, as SEW does. There are as
    many frames as without that, but fewer than `squeeze` cannot be computed.
    """

    kernels: tuple[int, ...]
    strides: tuple[int, ...]
    squeeze: int = 1

    @property
    def stride(self) -> Samples:
        """Samples between the starts of neighbouring frames: the product of the strides."""
        product = 1
        for stride in self.strides:
            product *= stride
        return Samples(product)

    @property
    def receptive_field(self) -> Samples:
        """Samples that one frame sees: each kernel widens it by the stride of what lies below."""
        field, step = 1, 1
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            field += (kernel - 1) * step
            step *= stride
        return Samples(field)

    @property
    def shortest(self) -> Samples:
        """Fewest samples that the network can compute."""
        return Samples(self.receptive_field + (self.squeeze - 1) * self.stride)

    def frames(self, samples: int) -> int:
        """Count the frames made of `samples` samples; 0 if there are fewer than the shortest."""
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            samples = (samples - kernel) // stride + 1 if samples >= kernel else 0
        return samples if samples >= self.squeeze else 0

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> "Geometry":
        """Read `conv_kernel`, `conv_stride` and `squeeze_factor` from a Hugging Face `config.json`.

        Raises ModelError if they are missing, malformed, or followed by a strided adapter, whose frames do not lie on
        a plain grid.
        """
        kernels, strides = config.get("conv_kernel"), config.get("conv_stride")
        if not _positive(kernels) or not _positive(strides) or len(kernels) != len(strides):
            raise ModelError("config.json: conv_kernel and conv_stride must be equally long lists of positive numbers")
        if config.get("add_adapter"):
            raise ModelError("config.json: add_adapter is set; asrd reads models without a strided adapter only")
        squeeze = config.get("squeeze_factor", 1)
        if not isinstance(squeeze, int) or squeeze < 1:
            raise ModelError("config.json: squeeze_factor must be a positive number")
        return cls(tuple(kernels), tuple(strides), squeeze)


def _positive(value: object) -> TypeGuard[Sequence[int]]:
    return (
        isinstance(value, Sequence)
        and len(value) > 0
        and all(isinstance(number, int) and number > 0 for number in value)
    )

"""What a server says of a model's inputs and outputs, and whether asrd's model directory fits it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asrd.core.errors import BackendError
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory

DATATYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "FP16": np.dtype("<f2"), "FP64": np.dtype("<f8")}
"""Types of numbers that audio and logits may have. Bytes are little-endian."""

ANY = -1
"""A length that is not fixed."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output: its name, the protocol's name of its datatype, and its shape; -1 is any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"'{self.name}' ({self.datatype} {list(self.shape)})"


@dataclass(frozen=True, slots=True)
class Offer:
    """All inputs and outputs of a served model."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """The input that takes audio, and the output that gives logits."""

    audio: Tensor
    logits: Tensor

    @property
    def single(self) -> bool:
        """True if a request may hold one window only."""
        return self.audio.shape[0] == 1

    def encode(self, batch: FloatArray) -> bytes:
        """Return audio as the server's datatype."""
        return batch.astype(DATATYPES[self.audio.datatype]).tobytes()

    def decode(self, data: bytes, datatype: str, shape: Sequence[int]) -> FloatArray:
        """Return the logits that bytes hold. Raises BackendError if they are not of that datatype and shape."""
        try:
            return np.frombuffer(data, DATATYPES[datatype]).reshape(shape).astype(np.float32)
        except (KeyError, ValueError, OverflowError) as error:
            raise BackendError(f"the server answered with {len(data)} bytes for {datatype} {list(shape)}") from error


def fit(offer: Offer, model: ModelDirectory, served: str) -> Signature:
    """Choose input and output for a model directory. Raises BackendError with the remedy if none fits.

    served: what messages call the model on the server.
    """
    if not offer.inputs or not offer.outputs:
        raise BackendError(
            f"{served} does not describe its inputs and outputs; add them to the server's settings of it"
        )
    if len(offer.inputs) > 1:
        raise BackendError(f"{served} takes {_listed(offer.inputs)}; asrd sends audio alone: serve one without masks")
    audio = offer.inputs[0]
    if audio.datatype not in DATATYPES or len(audio.shape) != 2 or audio.shape[0] not in (ANY, 1):
        raise BackendError(f"{served} takes {audio}; asrd needs FP32 [-1, -1], which is windows and their samples")
    if audio.shape[1] != ANY:
        raise BackendError(f"{served} takes {audio}, but windows differ in length: serve it with the shape [-1, -1]")
    return Signature(audio, _logits(offer.outputs, model, served))


def _logits(outputs: Sequence[Tensor], model: ModelDirectory, served: str) -> Tensor:
    letters = len(model.vocabulary)
    frames = [one for one in outputs if one.datatype in DATATYPES and len(one.shape) == 3]
    fitting = [one for one in frames if one.shape[2] in (ANY, letters)]
    named = [one for one in fitting if one.name == "logits"] or fitting
    if len(named) == 1:
        return named[0]
    if len(frames) == 1:
        raise BackendError(
            f"{served} has {frames[0].shape[2]} letters, {model.name} has {letters}; serve the model of {model.path}, "
            "or name the directory of the served one with --model"
        )
    raise BackendError(f"{served} gives {_listed(outputs)}; asrd needs one output FP32 [-1, -1, {letters}], logits")


def _listed(tensors: Sequence[Tensor]) -> str:
    return " and ".join(map(str, tensors))

"""Bodies of requests and answers over HTTP: tensors as JSON, or as bytes behind it (binary tensor data extension)."""

from typing import Annotated, Any

import msgspec
import numpy as np

from asrd.backends.kserve.signature import DATATYPES, Offer, Signature, Tensor
from asrd.core.errors import BackendError, reason
from asrd.core.flow import FloatArray

HEADER = "Inference-Header-Content-Length"
"""Header that tells the length of the JSON before the bytes of tensors."""


class _Described(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]

    def tensor(self) -> Tensor:
        return Tensor(self.name, self.datatype, tuple(self.shape))


class _Metadata(msgspec.Struct):
    inputs: list[_Described] | None = None
    outputs: list[_Described] | None = None


class _Parameters(msgspec.Struct):
    binary_data_size: Annotated[int, msgspec.Meta(ge=0)] = 0


class _Output(_Described):
    data: list[Any] | None = None
    parameters: _Parameters | None = None


class _Answer(msgspec.Struct):
    outputs: list[_Output]


def metadata(body: bytes) -> Offer:
    """Read a model's metadata. Raises MsgspecError if they are none."""
    found = msgspec.json.decode(body, type=_Metadata)
    inputs, outputs = (tuple(one.tensor() for one in several or ()) for several in (found.inputs, found.outputs))
    return Offer(inputs, outputs)


def request(signature: Signature, batch: FloatArray, *, binary: bool) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a request for the logits of `(batch, samples)`."""
    audio = signature.audio
    tensor: dict[str, Any] = {"name": audio.name, "datatype": audio.datatype, "shape": batch.shape}
    wanted: dict[str, Any] = {"name": signature.logits.name}
    if not binary:
        tensor["data"] = batch.ravel().tolist()
        return msgspec.json.encode({"inputs": [tensor], "outputs": [wanted]}), {"Content-Type": "application/json"}
    tail = signature.encode(batch)
    tensor["parameters"] = {"binary_data_size": len(tail)}
    wanted["parameters"] = {"binary_data": True}
    head = msgspec.json.encode({"inputs": [tensor], "outputs": [wanted]})
    return head + tail, {"Content-Type": "application/octet-stream", HEADER: str(len(head))}


def logits(body: bytes, length: int, signature: Signature) -> FloatArray:
    """Read the logits of an answer whose first `length` bytes are JSON.

    Raises MsgspecError if that is no answer, BackendError if it holds no logits.
    """
    answer, at = msgspec.json.decode(body[:length], type=_Answer), length
    for output in answer.outputs:
        size = output.parameters.binary_data_size if output.parameters else 0
        if output.name != signature.logits.name:
            at += size
        elif output.data is None:
            return signature.decode(body[at : at + size], output.datatype, output.shape)
        else:
            return _numbers(output)
    raise BackendError(f"the server answered without the output '{signature.logits.name}'")


def complaint(body: bytes) -> str:
    """Return what an answer says of an error, as one short line."""
    try:
        told = msgspec.json.decode(body)
        text = str(told.get("error") or told.get("detail") or told) if isinstance(told, dict) else str(told)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        text = body.decode("utf-8", "replace")
    return " ".join(text.split())[:200] or "no reason given"


def _numbers(output: _Output) -> FloatArray:
    try:
        numbers: FloatArray = np.array(output.data, DATATYPES["FP32"]).reshape(output.shape)
    except (TypeError, ValueError) as error:
        raise BackendError(f"the server answered with what is no tensor ({reason(error)})") from error
    return numbers

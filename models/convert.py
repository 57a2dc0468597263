"""Convert a checkpoint to OpenVINO: the same network with weights stored in 16 bits."""

import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

from asrd.core.errors import MissingExtraError, ModelError
from asrd.core.units import MAX_WINDOW
from asrd.models import manifest, runtime
from asrd.models.checkpoint import load_checkpoint
from asrd.models.directory import ModelDirectory
from asrd.models.extract import extracted
from asrd.models.files import OWN_PLACE, writing
from asrd.models.front import rewrite_front


def convert(model: ModelDirectory) -> Path:
    """Write `openvino/fp16.{xml,bin}` into the model's directory and renew its manifest; return the former.

    What is built serves one language only, so a checkpoint of several gets a directory for this one; see `extract`.
    The network takes normalised audio `(batch, samples)`, both dimensions free, and gives logits
    `(batch, frames, vocabulary)`. Weights are stored in 16 bits; the arithmetic is the backend's choice.
    Raises MissingExtraError without torch, ModelError if the checkpoint cannot be converted or
    its directory cannot be written.
    """
    if not model.has_weights:
        raise ModelError(f"{model.path} holds no checkpoint (model.safetensors) to convert; pull it again")
    model = extracted(model)
    path = model.openvino("fp16")
    save(trace(model), path, compress=True)
    manifest.write(model.path, openvino=runtime.openvino().__version__)
    return path


def trace(model: ModelDirectory, *, rewrite: bool = True) -> Any:
    """Trace the checkpoint to an `openvino.Model` with free batch and length, weights in 32 bits.

    rewrite: whether the front end may be computed in an equal and faster way; see `asrd.models.front`.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "converting a checkpoint") from error

    class Logits(torch.nn.Module):  # type: ignore[misc]
        """The network without the dictionary around its output, which has no place in a graph."""

        def __init__(self, network: Any) -> None:
            super().__init__()
            self.network = network
            self.rotary = [part for part in network.modules() if hasattr(part, "cached_sequence_length")]

        def forward(self, audio: Any) -> Any:
            for part in self.rotary:  # with its cache, positions of this length would become constants of the graph
                part.cached_sequence_length = None
            return self.network(audio).logits

    network = Logits(load_checkpoint(model)).eval()
    with warnings.catch_warnings():
        # Tracing warns of every shape it sees as a constant; the tests compare several lengths with PyTorch.
        warnings.simplefilter("ignore")
        try:
            traced = runtime.openvino().convert_model(network, example_input=torch.zeros(1, MAX_WINDOW), input=[-1, -1])
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise ModelError(f"{model.path} cannot be converted to OpenVINO: {reason}") from error
    if rewrite:
        rewrite_front(traced)
    return traced


def save(network: Any, path: Path, compress: bool) -> None:
    """Write an `openvino.Model` to `path` and the `.bin` beside it.

    compress: whether 32-bit weights are stored in 16 bits. A reader sees the old pair, no model, or the new pair,
    never one half of each. Raises ModelError if the directory cannot be written.
    """
    _number_names(network)
    with writing(path, RuntimeError, remedy=OWN_PLACE):  # RuntimeError is OpenVINO's
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
            draft = Path(folder) / path.name
            runtime.openvino().save_model(network, draft, compress_to_fp16=compress)
            path.unlink(missing_ok=True)
            draft.with_suffix(".bin").replace(path.with_suffix(".bin"))
            draft.replace(path)


def _number_names(network: Any) -> None:
    """Name each unnamed operation by its place in the network.

    OpenVINO numbers such operations by a counter of the process, so the same network would be written differently
    each time. An operation that took the place of another one has the other's name.
    """
    for place, node in enumerate(network.get_ordered_ops()):
        if re.fullmatch(r"[A-Za-z]+_\d+", node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}_{place}")

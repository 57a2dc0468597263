"""Turn the FP16 model into an INT8 one with NNCF post-training quantization."""

import io
import logging
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any

from asrd.core.errors import AsrdError, reason
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory, runtime
from asrd.quant.graph import Layer


class QuantizationError(AsrdError):
    """A model cannot be quantized, or the result is not good enough."""


def read_network(model: ModelDirectory) -> Any:
    """The model's FP16 network, an `openvino.Model` with free batch and length."""
    return runtime.openvino().Core().read_model(model.openvino("fp16"))


def quantize(
    network: Any,
    windows: FloatArray,
    keep_float: Sequence[Layer] = (),
    advance: Callable[[], None] = lambda: None,
) -> Any:
    """An INT8 `openvino.Model`: activations per tensor, weights per channel, symmetric or not as
    NNCF's transformer scheme has it. The same input gives the same model.

    windows: `(n, samples)` float32, normalised.
    keep_float: layers of `network` left as they are.
    advance: called for each window taken, to show progress.
    Raises MissingExtraError without NNCF, QuantizationError where it fails.
    """
    nncf = runtime.nncf()
    logging.getLogger("nncf").setLevel(logging.ERROR)

    def feed(window: FloatArray) -> FloatArray:
        advance()
        return window[None]

    try:
        with redirect_stdout(io.StringIO()):  # NNCF draws bars of its own, one a step
            return nncf.quantize(
                network,
                nncf.Dataset(list(windows), feed),
                subset_size=len(windows),
                model_type=nncf.ModelType.TRANSFORMER,
                target_device=nncf.TargetDevice.CPU,
                ignored_scope=nncf.IgnoredScope(names=[layer.node for layer in keep_float]),
            )
    except (RuntimeError, ValueError, nncf.ValidationError) as error:
        raise QuantizationError(f"NNCF cannot quantize this model: {reason(error)}") from error

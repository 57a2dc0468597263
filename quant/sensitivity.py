"""Sensitivity: how much each layer alone suffers from 8 bits."""

from collections.abc import Callable
from typing import Any

import numpy as np

from asrd.core.flow import FloatArray
from asrd.daemon.recognition.recognizer import log_softmax
from asrd.models import runtime
from asrd.quant.graph import layers
from asrd.quant.quantize import quantize
from asrd.quant.recipe import Recipe
from asrd.quant.smooth import without_rounding

PROBES = 4
"""Windows on which divergence is measured."""

PASSING = ("Reshape", "Transpose", "Unsqueeze", "Squeeze", "Convert", "Add", "Multiply")


def sensitivity(
    network: Any, windows: FloatArray, recipe: Recipe, advance: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Return, by label, the Kullback-Leibler divergence of the letters' distribution from the original's, in nats per
    frame, if that layer's weights and input alone are rounded to 8 bits.

    network: the original, an `openvino.Model`. windows: `(n, samples)`, normalised.
    """
    rounded, _ = quantize(network, windows, recipe, compress_weights=False)
    probes = windows[:PROBES]
    original = _log_probs(without_rounding(rounded), probes)
    found = {}
    for layer in layers(rounded):
        alone = _log_probs(without_rounding(rounded, _roundings(rounded, layer.node)), probes)
        found[layer.label] = float((np.exp(original) * (original - alone)).sum(axis=-1).mean())
        advance()
    return found


def _roundings(network: Any, name: str) -> set[str]:
    """Find the FakeQuantize operations before both operands of a layer."""
    node = next(node for node in network.get_ordered_ops() if node.get_friendly_name() == name)
    found = set()
    for port in (0, 1):
        operand = node.input_value(port).get_node()
        while operand.get_type_name() in PASSING:
            operand = operand.input_value(0).get_node()
        if operand.get_type_name() == "FakeQuantize":
            found.add(operand.get_friendly_name())
    return found


def _log_probs(network: Any, windows: FloatArray) -> FloatArray:
    """Compute log-probabilities `(windows, frames, vocabulary)` in f32."""
    compiled = runtime.openvino().Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return log_softmax(np.concatenate([compiled(window[None])[0] for window in windows]))

"""Networks without rounding: smoothed for quantization, or with some roundings taken out again."""

from collections.abc import Callable, Collection
from typing import Any


def without_rounding(network: Any, keep: Collection[str] = ()) -> Any:
    """Copy a quantized network without any FakeQuantize but those named. Its weights must not be compressed."""
    copy = network.clone()
    for node in copy.get_ordered_ops():
        if node.get_type_name() == "FakeQuantize" and node.get_friendly_name() not in keep:
            for target in node.output(0).get_target_inputs():
                target.replace_source_output(node.input_value(0))
    return copy


def smoothed(network: Any, quantize: Callable[..., Any]) -> Any:
    """Return an equal network in floating point, in which outliers have moved from activations into weights.

    NNCF smooths and rounds in one go. Where its accuracy control (3.4.0) then puts a layer back into floating point,
    it restores the weights from before, and the activations stay divided: the layer is broken, not mended. So a network
    is smoothed first, and accuracy control takes the result for the original.

    quantize: `nncf.quantize` with all but the network, whose weights it must not compress and whose biases it must not
    correct.
    """
    return without_rounding(quantize(network))

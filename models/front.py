"""Rewrite the first convolution of a network, and the normalisation behind it, to what is equal and faster.

In networks of base size, each channel of the first convolution is brought to zero mean and unit variance over time.
Its mean is zero already if the mean of the audio under each tap is taken off before, which is a matter of a few taps
in place of hundreds of channels. The convolution then becomes one product of frames and weights, with channels last,
as the next convolution wants them: nothing is rearranged in between.
"""

from typing import Any

import numpy as np

from asrd.models import runtime

PRODUCT = "front.0/product"
"""Name of the product that takes the convolution's place."""


def rewrite_front(network: Any) -> bool:
    """Replace the first convolution and the group normalisation behind it; return whether there are such.

    Networks of large size normalise over channels instead, and stay as they are.
    """
    for convolution in network.get_ordered_ops():
        if convolution.get_type_name() == "Convolution":
            norm, activation = _follower(convolution), None
            if norm is not None and norm.get_type_name() == "GroupNormalization":
                activation = _follower(norm)
            if activation is None or activation.get_type_name() != "Gelu" or not _fits(convolution, norm):
                return False
            audio = convolution.input_value(0).get_node().input_value(0)
            normalised = _normalised(audio, convolution, norm)
            _replace(activation, normalised)
            network.validate_nodes_and_infer_types()
            return True
    return False


def _follower(node: Any) -> Any:
    """Return the only node that takes this one's output, or None."""
    targets = list(node.output(0).get_target_inputs())
    return targets[0].get_node() if len(targets) == 1 else None


def _fits(convolution: Any, norm: Any) -> bool:
    """Return whether the convolution takes bare audio, in hops that its kernel is a multiple of, and each channel is
    normalised by itself.
    """
    settings = convolution.get_attributes()
    channels, inputs, taps = convolution.input_value(1).get_partial_shape().to_shape()
    plain = settings["pads_begin"] == settings["pads_end"] == [0] and settings["dilations"] == [1]
    unsqueezed = convolution.input_value(0).get_node().get_type_name() == "Unsqueeze"
    stored = convolution.input_value(1).get_node().get_type_name() == "Constant"
    hops = taps % settings["strides"][0] == 0
    return bool(
        inputs == 1 and plain and unsqueezed and stored and hops and norm.get_attributes()["num_groups"] == channels
    )


def _normalised(audio: Any, convolution: Any, norm: Any) -> Any:
    """Compute the normalised channels `(batch, frames, channels)` from audio `(batch, samples)`."""
    ops = runtime.openvino().opset13
    channels, _, taps = convolution.input_value(1).get_partial_shape().to_shape()
    epsilon = ops.constant(np.float32(norm.get_attributes()["epsilon"]))
    frames = _frames(audio, taps, convolution.get_attributes()["strides"][0])
    centred = ops.subtract(frames, ops.reduce_mean(frames, _integers(1), True))
    weights = ops.constant(convolution.input_value(1).get_node().data.reshape(channels, taps))
    product = ops.matmul(centred, weights, False, True, name=PRODUCT)
    count = ops.convert(ops.gather(ops.shape_of(frames), _integers(1), _integers(0)), "f32")
    length = ops.reduce_l2(product, _integers(1), True)
    deviation = ops.sqrt(ops.add(ops.divide(ops.multiply(length, length), count), epsilon))
    gain, bias = (ops.reshape(norm.input_value(port), _integers(1, 1, channels), False) for port in (1, 2))
    return ops.add(ops.multiply(product, ops.divide(gain, deviation)), bias)


def _frames(audio: Any, taps: int, hop: int) -> Any:
    """Cut audio `(batch, samples)` into frames `(batch, frames, taps)` that begin a hop apart."""
    ops = runtime.openvino().opset13
    hops = ops.divide(ops.gather(ops.shape_of(audio), _integers(1), _integers(0)), _integers(hop))
    whole = ops.slice(audio, _integers(0), ops.multiply(hops, _integers(hop)), _integers(1), _integers(1))
    rows = ops.reshape(whole, _integers(0, -1, hop), True)
    overlap = taps // hop
    count = ops.subtract(hops, _integers(overlap - 1))
    shifted = [
        ops.slice(rows, _integers(first), ops.add(count, _integers(first)), _integers(1), _integers(1))
        for first in range(overlap)
    ]
    return ops.concat(shifted, 2)


def _replace(activation: Any, normalised: Any) -> None:
    """Put the activation of `(batch, frames, channels)` in the place of that of `(batch, channels, frames)`."""
    ops = runtime.openvino().opset13
    mode = activation.get_attributes()["approximation_mode"].lower()
    channels_first = ops.transpose(ops.gelu(normalised, mode), _integers(0, 2, 1))
    for target in list(activation.output(0).get_target_inputs()):
        target.replace_source_output(channels_first.output(0))


def _integers(*values: int) -> Any:
    return runtime.openvino().opset13.constant(np.array(values, np.int64))

"""Find a network's layers, from the graph itself.

Converters name nodes as they please, and differently from version to version. So layers are told apart by what they
do: convolutions by their order, and matrix products by the attention they feed or follow.

    front.0 … front.6  projection  position  block.0.query … block.0.down  …  head
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from asrd.backends import amx
from asrd.core.errors import UsageError, alternatives

ATTENTION = "ScaledDotProductAttention"
AFTER_ATTENTION = ("out", "up", "down")
"""A transformer block's products, in order, once its attention is computed."""

FASTER_IN_FLOAT = ("position", "position.*")
"""Patterns of layers that 8 bits make slower: oneDNN's 8-bit kernels are poor at convolutions of many small groups. See
`benchmarks/backends.py`.
"""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with weights. label: its name for people. node: the converter's name of its convolution or product."""

    label: str
    node: str


def layers(network: Any) -> list[Layer]:
    """List every layer with weights of an `openvino.Model`, in the order audio passes them."""
    nodes = [node for node in network.get_ordered_ops() if _has_weights(node)]
    blocks = {node.get_friendly_name(): index for index, node in enumerate(_attentions(network))}
    found: list[Layer] = []
    convolutions = 0
    block, follower = -1, 0
    for node in nodes:
        name = node.get_friendly_name()
        role = _attention_input(node)
        if node.get_type_name() == "Convolution":
            label, convolutions = f"front.{convolutions}", convolutions + 1
        elif node.get_type_name() == "GroupConvolution":
            label = "position"
        elif role:
            attention, part = role
            block, follower = blocks[attention], 0
            label = f"block.{block}.{part}"
        elif block < 0:
            label = "projection"
        else:
            part = AFTER_ATTENTION[follower] if follower < len(AFTER_ATTENTION) else f"extra{follower}"
            label, follower = f"block.{block}.{part}", follower + 1
        found.append(Layer(label, name))
    if block >= 0:  # the last product of all gives the letters
        found[-1] = Layer("head", found[-1].node)
    return found


def select(found: Sequence[Layer], patterns: Sequence[str]) -> list[Layer]:
    """Select the layers whose label matches one of the patterns, such as `front.*` or `block.?.down`.

    Raises UsageError for a pattern that matches none.
    """
    labels = [layer.label for layer in found]
    for pattern in patterns:
        if not any(fnmatchcase(label, pattern) for label in labels):
            alike = dict.fromkeys(re.sub(r"\d+", "*", label) for label in labels)
            raise UsageError(f"no layer matches '{pattern}'; {alternatives(pattern, labels, alike)}")
    return [layer for layer in found if any(fnmatchcase(layer.label, pattern) for pattern in patterns)]


def kept(network: Any, patterns: Sequence[str]) -> list[Layer]:
    """Return the layers to keep in floating point: those selected, those that are faster so, and those that some CPUs
    compute wrongly in 8 bits, so that the model is right on every CPU.
    """
    nodes = {node.get_friendly_name(): node for node in network.get_ordered_ops()}
    found = layers(network)
    chosen = select(found, patterns)
    chosen += [layer for layer in found if any(fnmatchcase(layer.label, pattern) for pattern in FASTER_IN_FLOAT)]
    return [layer for layer in found if layer in chosen or amx.is_unsafe(nodes[layer.node])]


def _attentions(network: Any) -> Iterator[Any]:
    return (node for node in network.get_ordered_ops() if node.get_type_name() == ATTENTION)


def _has_weights(node: Any) -> bool:
    """Return whether the second operand is stored in the model rather than computed from audio."""
    if node.get_type_name() not in ("Convolution", "GroupConvolution", "MatMul"):
        return False
    operand = node.input_value(1).get_node()
    while operand.get_type_name() != "Constant":
        if not operand.get_input_size() or operand.get_type_name() in ("Convolution", "MatMul", "Parameter"):
            return False
        operand = operand.input_value(0).get_node()
    return True


def _attention_input(node: Any) -> tuple[str, str] | None:
    """Return the attention that this product feeds through reshaping and bias alone, and its role there; None if
    there is none.
    """
    passing = ("Add", "Multiply", "Reshape", "Transpose", "FakeQuantize")
    output = node.output(0)
    while len(targets := list(output.get_target_inputs())) == 1:
        target = targets[0]
        follower = target.get_node()
        if follower.get_type_name() == ATTENTION:
            parts = ("query", "key", "value")
            return (follower.get_friendly_name(), parts[target.get_index()]) if target.get_index() < 3 else None
        if follower.get_type_name() not in passing:
            return None
        output = follower.output(0)
    return None


def in_floating_point(network: Any) -> list[Layer]:
    """List the layers of a quantized network whose input is not rounded to 8 bits."""
    nodes = {node.get_friendly_name(): node for node in network.get_ordered_ops()}
    return [layer for layer in layers(network) if not _is_quantized(nodes[layer.node])]


def _is_quantized(node: Any) -> bool:
    """Return whether a FakeQuantize precedes the first operand, with no computation in between."""
    passing = ("Reshape", "Transpose", "Unsqueeze", "Squeeze", "Convert")
    operand = node.input_value(0).get_node()
    while operand.get_type_name() in passing:
        operand = operand.input_value(0).get_node()
    return bool(operand.get_type_name() == "FakeQuantize")

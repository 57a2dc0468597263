"""Find a network's layers, from the graph itself.

Converters name nodes as they please, and differently from version to version. So layers are told apart by what they
do: by their order, and by the attention they feed or follow.

    front.0 … front.6  projection  position  block.0.query … block.0.down  …  head

Blocks of a Conformer also have a feed-forward before their attention (first.up, first.down) and a convolution behind it
(conv.in, conv.depth, conv.out). Where attention computes positions of its own, that is block.0.position.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from asrd.backends import amx
from asrd.core.errors import UsageError, alternatives
from asrd.models.front import PRODUCT
from asrd.quant.attention import attentions, has_weights, is_stored, role

_TRANSFORMER, _ADAPTER = ("out", "up", "down"), ("adapter.down", "adapter.up")
"""What follows a block's attention, in order; adapters are those of single languages."""

_CONFORMER, _FIRST = ("out", "conv.in", "conv.depth", "conv.out", "up", "down"), ("first.up", "first.down")
"""What follows the attention of a Conformer's block, and what comes before it."""

FASTER_IN_FLOAT = ("position", "position.*")
"""Patterns of layers that 8 bits make slower: oneDNN's 8-bit kernels are poor at convolutions of many small groups. So
they do a rewritten front end, which takes the audio itself. See `benchmarks/backends.py`.
"""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with weights. label: its name for people. node: the converter's name of its convolution or product."""

    label: str
    node: str


def layers(network: Any) -> list[Layer]:
    """List every layer with weights of an `openvino.Model`, in the order audio passes them."""
    ends, inputs = attentions(network)
    labels: dict[str, str] = {}
    parts: list[list[Any]] = [[]]  # layers before the first attention, between two, and after the last
    for node in network.get_ordered_ops():
        name = node.get_friendly_name()
        if has_weights(node):
            labels[name] = ""
            if fed := role(node, inputs):
                labels[name] = f"block.{fed[0]}.{fed[1]}"
            else:
                parts[-1].append(node)
        if name in ends:
            parts.append([])
    head = parts[-1].pop()
    conformer = any(_is_convolution(node) for part in parts[1:] for node in part)
    for place, part in enumerate(parts):
        names = _behind(place - 1, len(part), conformer) if place else _front(part, conformer)
        labels |= {node.get_friendly_name(): label for node, label in zip(part, names, strict=True)}
    labels[head.get_friendly_name()] = "head"
    return [Layer(label, name) for name, label in _numbered(labels).items()]


def _front(part: Sequence[Any], conformer: bool) -> list[str]:
    """Name the layers before the first attention."""
    products = ["projection"] + ([f"block.0.{name}" for name in _FIRST] if conformer else [])
    names: list[str] = []
    for node in part:
        if not _is_convolution(node):
            names.append(products.pop(0))
        elif node.get_type_name() == "GroupConvolution" or "projection" in names:
            names.append("position")
        else:
            names.append(f"front.{len(names)}")
    return names


def _behind(block: int, count: int, conformer: bool) -> list[str]:
    """Name the layers between the attention of a block and that of the next one, or the head."""
    names = [f"block.{block}.{name}" for name in (_CONFORMER if conformer else (*_TRANSFORMER, *_ADAPTER))]
    if conformer:
        names += [f"block.{block + 1}.{name}" for name in _FIRST]
    elif count == len(_TRANSFORMER) + 1:
        names[-2:] = ["upsample"]  # SEW's, behind the last block
    return (names + [f"block.{block}.extra"] * count)[:count]


def _numbered(labels: dict[str, str]) -> dict[str, str]:
    """Number the layers of the same label: of several positional convolutions, and of SEW-D's positions."""
    counts, met = Counter(labels.values()), Counter[str]()
    numbered = {}
    for name, label in labels.items():
        numbered[name] = f"{label}.{met[label]}" if counts[label] > 1 else label
        met[label] += 1
    return numbered


def _is_convolution(node: Any) -> bool:
    """Return whether a node is a convolution, or takes the place of one."""
    return str(node.get_type_name()).endswith("Convolution") or node.get_friendly_name() == PRODUCT


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
    """Return the layers to keep in floating point: those selected, those that are faster so, those that some CPUs
    compute wrongly in 8 bits, so that the model is right on every CPU, and those that take no audio, which NNCF leaves
    as they are.
    """
    nodes = {node.get_friendly_name(): node for node in network.get_ordered_ops()}
    found = layers(network)
    chosen = select(found, patterns)

    def stays(layer: Layer) -> bool:
        faster = layer.node == PRODUCT or any(fnmatchcase(layer.label, pattern) for pattern in FASTER_IN_FLOAT)
        return faster or amx.is_unsafe(nodes[layer.node]) or is_stored(nodes[layer.node], 0)

    return [layer for layer in found if layer in chosen or stays(layer)]


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

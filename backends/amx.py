"""Convolutions that OpenVINO computes wrongly in 8 bits on CPUs with AMX.

Found with OpenVINO 2026.4.1. Its kernel `brgconv_avx512_amx_i8` returns noise for grouped convolutions of fewer than
32 channels per group if channels × taps is a multiple of 64 and larger than 64. The positional convolution of a small
Wav2Vec2 is of that kind (16 channels, 32 taps); that of the published sizes, with 48 or 64 channels per group, is
not.
"""

import os
from typing import Any

from asrd.core import cpu

CHANNELS = 32
"""Channels per group from which on the kernel is correct."""

PASSING = ("Transpose", "Reshape")
"""Operations that may stand between a convolution and the rounding of its input."""


def is_unsafe(node: Any) -> bool:
    """Return whether a node of an `openvino.Model` must not be computed in 8 bits on CPUs with AMX."""
    if node.get_type_name() != "GroupConvolution":
        return False
    _groups, _outputs, channels, *taps = node.input_value(1).get_partial_shape().to_shape()
    return channels < CHANNELS and any(tap > 1 for tap in taps)


def spare(network: Any) -> list[str]:
    """Compute the unsafe convolutions of a quantized network in floating point, if this CPU has AMX.

    Returns their names.
    """
    return [] if "amx_int8" not in cpu.flags() or "ONEDNN_MAX_CPU_ISA" in os.environ else widen(network)


def widen(network: Any) -> list[str]:
    """Compute the unsafe convolutions in floating point, whatever the CPU: for a network that others will run.

    Removes the rounding of their input; their weights stay as they are. Returns their names.
    """
    spared = []
    for node in filter(is_unsafe, network.get_ordered_ops()):
        follower = node
        while (operand := follower.input_value(0).get_node()).get_type_name() in PASSING:
            follower = operand
        if operand.get_type_name() == "FakeQuantize":
            follower.input(0).replace_source_output(operand.input_value(0))
            spared.append(node.get_friendly_name())
    return spared

"""Make layer norms change nothing.

transformers has no Wav2Vec2 with a bias in its convolutions and without a layer norm after each. A layer norm subtracts
the mean of the channels and divides by their standard deviation. Three kinds of spare channels cancel that:

- two constants, C and -C, so large that they alone determine the standard deviation: C √(2/N) of N channels;
- counters, which add up to the negative sum of the useful channels, so that the mean is zero;
- zeros, which fill the layer up to a multiple of 16.

So the norm divides by a constant, and its own weight multiplies by the same. All channels after the useful ones get
weight 0, which removes them.
"""

import math
from typing import Any

import torch
from torch import Tensor

_MULTIPLE = 16


def channels(useful: int, counters: int) -> int:
    """Return the number of channels that a layer needs."""
    return -(-(useful + counters + 2) // _MULTIPLE) * _MULTIPLE


@torch.no_grad()  # type: ignore[untyped-decorator]
def neutralise(layer: Any, useful: int, counters: int, constant: float, gain: float = 1.0) -> None:
    """Add the spare channels to a Wav2Vec2 convolution layer whose first `useful` channels have their weights.

    constant: C above, much larger than the root of the sum of squares of the useful channels. gain: multiplies the
    useful channels after the layer norm. Counters are left out (0) where the sum of the useful channels is zero anyway.
    """
    conv, norm, count = layer.conv, layer.layer_norm, layer.conv.out_channels
    conv.weight[useful:] = 0
    conv.bias[useful:] = 0
    if counters:
        spare = slice(useful, useful + counters)
        conv.weight[spare] = -conv.weight[:useful].sum(0, keepdim=True) / counters
        conv.bias[spare] = -conv.bias[:useful].sum() / counters
    conv.bias[useful + counters] = constant
    conv.bias[useful + counters + 1] = -constant
    norm.weight.zero_()
    norm.bias.zero_()
    norm.weight[:useful] = gain * constant * math.sqrt(2 / count)


def gain_of(layer: Any, useful: int) -> Tensor:
    """Read back, from its weights, the factor by which a neutral layer multiplies each useful channel, `(useful,)`."""
    constant = layer.conv.bias.detach().abs().max()
    gain: Tensor = layer.layer_norm.weight.detach()[:useful] / (constant * math.sqrt(2 / layer.conv.out_channels))
    return gain


@torch.no_grad()  # type: ignore[untyped-decorator]
def pass_through(last: Any, projection: Any, useful: int) -> None:
    """Make the feature projection pass on the useful channels of the last, neutral convolution layer unchanged.

    Its own layer norm needs a constant, too. GELU is in between, so the first spare channel gets one from the bias of
    the layer norm before. The second one stays 0: after the projection's layer norm it holds the subtracted mean,
    negated, and the projection adds the mean back.
    """
    count, constant = last.conv.out_channels, 300.0
    last.layer_norm.bias[useful] = constant
    deviation = constant * math.sqrt((1 - 1 / count) / count)
    norm, linear = projection.layer_norm, projection.projection
    norm.weight.zero_()
    norm.bias.zero_()
    linear.weight.zero_()
    linear.weight[:, :useful] = torch.eye(useful)
    linear.weight[:, useful + 1] = -1
    for part in (slice(0, useful), slice(useful + 1, useful + 2)):
        norm.weight[part] = deviation
        norm.bias[part] = constant / count

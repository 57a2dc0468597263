"""Layer norms that change nothing.

transformers has no Wav2Vec2 with a bias in its convolutions and without a layer norm behind each. A layer norm takes
the mean of the channels away and divides by their standard deviation. Three kinds of spare channels keep it quiet:

- two constants, C and -C, so large that they alone are the standard deviation: C √(2/N) of N channels;
- counters, which add up to the negative sum of the useful channels, so that the mean is zero;
- zeros, which fill the layer up to a multiple of 16.

So the norm divides by a constant, and its own weight multiplies by the same. All behind the useful channels gets weight
0 and is gone.
"""

import math
from typing import Any

import torch
from torch import Tensor

_MULTIPLE = 16


def channels(useful: int, counters: int) -> int:
    """How many channels a layer needs."""
    return -(-(useful + counters + 2) // _MULTIPLE) * _MULTIPLE


@torch.no_grad()  # type: ignore[untyped-decorator]
def neutralise(layer: Any, useful: int, counters: int, constant: float, gain: float = 1.0) -> None:
    """Add the spare channels to a Wav2Vec2 convolution layer whose first `useful` channels have their weights.

    constant: C above, much larger than the root of the sum of squares of the useful channels. gain: multiplies the
    useful channels behind the layer norm.
    Counters are left out (0) where the sum of the useful channels is zero anyway.
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
    """What a neutral layer multiplies each of its useful channels by, `(useful,)`; read back from its weights."""
    constant = layer.conv.bias.detach().abs().max()
    gain: Tensor = layer.layer_norm.weight.detach()[:useful] / (constant * math.sqrt(2 / layer.conv.out_channels))
    return gain


@torch.no_grad()  # type: ignore[untyped-decorator]
def pass_through(last: Any, projection: Any, useful: int) -> None:
    """Let the feature projection hand on the useful channels of the last, neutral convolution layer as they are.

    Its own layer norm needs a constant, too. GELU is in between, so the first spare channel gets one by the bias of the
    layer norm before. The second one stays 0: behind the projection's layer norm it shows what was taken away as the
    mean, and the projection takes it away once more, with the opposite sign.
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

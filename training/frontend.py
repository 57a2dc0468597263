"""The frozen front end: turns raw audio into the output of the two convolutions of Whisper's encoder.

`install` writes it into the convolutions of a Wav2Vec2. `FrontEnd` reads it back and computes the same faster: each
filter and its negative only once, and no layer norms that change nothing.

    convolution  kernel/stride  channels  computes
    0            400/160        564       cosines and sines at 141 frequencies, and their negatives
    1            1/1            560       bounded units of the magnitudes (`hinges.py`)
    2            3/1            width     Whisper's first convolution of the logarithms, which are linear in the units
    3            3/2            width     Whisper's second convolution
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from asrd.models import Geometry
from asrd.training import neutral
from asrd.training.hinges import LOUDNESS, UNITS, Hinges, magnitudes
from asrd.training.logmel import BANDS
from asrd.training.whisper import Weights

GEOMETRY = Geometry((400, 1, 3, 3), (160, 1, 1, 2))
"""A frame every 320 samples, each computed from 1040: 93 frames in a window of the daemon."""

FILTERS = 282
_COUNTERS = (0, 16, 8, 4)
_CONSTANTS = (1000.0, 6e4, 2000.0, 2000.0)
"""Constants of the four layers: large beside the useful channels, and within the range of float16."""


def channels(width: int) -> tuple[int, ...]:
    """Return the channels of the four convolutions, spare ones included."""
    useful = (2 * FILTERS, UNITS, width, width + 1)  # one more zero in the last, for `neutral.pass_through`
    return tuple(neutral.channels(*pair) for pair in zip(useful, _COUNTERS, strict=True))


@torch.no_grad()  # type: ignore[untyped-decorator]
def install(model: Any, hinges: Hinges, whisper: Weights) -> None:
    """Write the front end into a Wav2Vec2ForCTC whose convolutions have the shapes above."""
    layers = model.wav2vec2.feature_extractor.conv_layers
    width = len(whisper["conv1.bias"])
    for layer in layers:
        layer.conv.weight.zero_()
        layer.conv.bias.zero_()
    filters = hinges.bank / LOUDNESS  # the layer norm multiplies by it again: so a constant of 1000 is enough
    layers[0].conv.weight[: 2 * FILTERS, 0] = torch.cat([filters, -filters])
    layers[1].conv.weight[:UNITS, : 2 * FILTERS, 0] = torch.cat([hinges.weight, hinges.weight], 1)
    layers[1].conv.bias[:UNITS] = hinges.bias
    first = whisper["conv1.weight"]
    layers[2].conv.weight[:width, :UNITS] = torch.einsum("obk,bu->ouk", first, hinges.logs)
    layers[2].conv.bias[:width] = whisper["conv1.bias"] + torch.einsum("obk,b->o", first, hinges.shift)
    layers[3].conv.weight[:width, :width] = whisper["conv2.weight"]
    layers[3].conv.bias[:width] = whisper["conv2.bias"]
    useful = (2 * FILTERS, UNITS, width, width)
    for number, layer in enumerate(layers):
        gain = LOUDNESS if number == 0 else 1.0
        neutral.neutralise(layer, useful[number], _COUNTERS[number], _CONSTANTS[number], gain)
    neutral.pass_through(layers[3], model.wav2vec2.feature_projection, width)


class FrontEnd(nn.Module):  # type: ignore[misc]
    """The front end of a checkpoint. It has no trainable parameters."""

    def __init__(self, model: Any, dtype: torch.dtype = torch.float32) -> None:
        """model: a Wav2Vec2ForCTC written by `install`. dtype: type of the large matrix products."""
        super().__init__()
        layers = model.wav2vec2.feature_extractor.conv_layers
        width, self._dtype = model.config.hidden_size, dtype
        filters, hinge, first, second = (
            (layer.conv.weight.detach()[:useful], layer.conv.bias.detach()[:useful], neutral.gain_of(layer, useful))
            for layer, useful in zip(layers, (FILTERS, UNITS, width, width), strict=True)
        )
        self.register_buffer("bank", filters[0][:, 0] * filters[2][:, None])
        self.register_buffer("hinges", (hinge[0][:, :FILTERS, 0] * hinge[2][:, None]).to(dtype))
        self.register_buffer("hinge_bias", hinge[1] * hinge[2])
        logs, after = _factors((first[0] * first[2][:, None, None])[:, :UNITS])
        self.register_buffer("logs", logs)
        self.register_buffer("first", after)
        self.register_buffer("first_bias", first[1] * first[2])
        self.register_buffer("second", (second[0] * second[2][:, None, None])[:, :width].to(dtype))
        self.register_buffer("second_bias", (second[1] * second[2]).to(dtype))

    def units(self, pcm: Tensor) -> Tensor:
        """Turn `(clips, samples)` of unit variance into units, `(clips, steps, 560)`, a step every 160 samples."""
        heard = magnitudes(pcm, self.bank).to(self._dtype)
        return functional.gelu(functional.linear(heard, self.hinges).float() + self.hinge_bias)

    def features(self, units: Tensor) -> Tensor:
        """Turn units into float32 features, `(clips, frames, width)`, a frame every 320 samples."""
        logs = functional.linear(units, self.logs).transpose(1, 2)
        heard = functional.gelu(functional.conv1d(logs, self.first, self.first_bias)).to(self._dtype)
        heard = functional.gelu(functional.conv1d(heard, self.second, self.second_bias, stride=2))
        return heard.transpose(1, 2).float()

    def forward(self, pcm: Tensor) -> Tensor:
        """Turn `(clips, samples)` of unit variance into features, `(clips, frames, width)`."""
        return self.features(self.units(pcm))


def frames(samples: Tensor) -> Tensor:
    """Return the number of frames for each number of samples: `GEOMETRY.frames` for tensors."""
    return ((samples - GEOMETRY.receptive_field) // GEOMETRY.stride + 1).clamp_min(0)


def _factors(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Factor a convolution of 80 linear combinations, `(width, 560, 3)`, into `(80, 560)` and `(width, 80, 3)`.

    The 80 are not the mel bands themselves, but span the same space.
    """
    width, inputs, taps = weight.shape
    left, scale, right = torch.linalg.svd(weight.transpose(1, 2).reshape(-1, inputs), full_matrices=False)
    rank = min(BANDS, len(scale))
    after = (left[:, :rank] * scale[:rank]).view(width, taps, rank).transpose(1, 2)
    return right[:rank].contiguous(), after.contiguous()

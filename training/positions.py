"""Reproduce Whisper's absolute positions by Wav2Vec2's positional convolution, for any sound.

Wav2Vec2 derives the position of a frame from a convolution over its neighbours. Zeros surround a clip, so from the
first frame on the convolution sees one more with every frame, as far as its taps reach. With a *carrier*, a sum of
channels that is 1 in every frame whatever is said, the taps add up to any table of positions, frame by frame. Beyond
the table's end all frames have its last row.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

REACH = 256
"""Frames with positions of their own: 5.1 s. The convolution has twice as many taps, of which half look ahead."""

OFFSET = 6.0
"""Added to the positions, which puts them where GELU is a straight line, and subtracted from the features before.

A greater one makes the carrier steadier: its noise is 0.8 % at an offset of 3, and 0.3 % at 8. But bfloat16 rounds away
small values beside a large sum, which calls for a small one.
"""

_FIRST = 1
"""Whisper pads its convolutions, so that half of its first frame lies before the sound. No frame here corresponds to
it.
"""


def sinusoids(frames: int, width: int) -> Tensor:
    """Return Whisper's positions from its second frame on, `(frames, width)`: sines and cosines of `width / 2`
    wavelengths between 2π and 20000π frames (openai-whisper's `model.py`).
    """
    half = width // 2
    rates = torch.exp(-math.log(10_000) / (half - 1) * torch.arange(half))
    angles = (torch.arange(frames) + _FIRST)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@torch.no_grad()  # type: ignore[untyped-decorator]
def bake(embedding: Any, frames: Tensor) -> None:
    """Make a `Wav2Vec2PositionalConvEmbedding` output `sinusoids` plus `OFFSET`.

    frames: outputs of the feature projection for all kinds of sound, `(frames, width)`, from which each group of
    channels gets its carrier.
    """
    conv = embedding.conv
    width, members, taps = conv.weight.shape
    steps = _steps(width)
    carriers = _carriers(frames.double(), members).repeat_interleave(members, 0)
    weight = torch.zeros(width, members, taps, dtype=torch.double)
    for step in range(REACH):  # tap REACH looks at the frame itself, those before it at earlier frames
        weight[:, :, REACH - step] = steps[step][:, None] * carriers
    # weight normalization divides each tap by its norm, which must not be 0, and multiplies by a stored one
    norm = weight.square().sum((0, 1), keepdim=True).sqrt()
    direction = torch.where(norm == 0, 1e-3, weight)
    stored = conv.parametrizations.weight
    stored.original0.copy_(norm)
    stored.original1.copy_(direction)
    conv.bias.zero_()


class Exported(nn.Module):  # type: ignore[misc]
    """Positions as a baked convolution gives them, with the noise of its carriers. It has no trainable parameters.

    All channels of a group share a carrier, so one product of spectra replaces the 512 taps of eight channels each that
    the convolution needs.
    """

    def __init__(self, embedding: Any) -> None:
        """embedding: written by `bake`."""
        super().__init__()
        weight = embedding.conv.weight.detach().double()
        width, members, _ = weight.shape
        steps = _steps(width)
        taps = weight[:, :, REACH - torch.arange(REACH)]
        carriers = torch.einsum("cit,tc->ci", taps, steps) / steps.square().sum(0)[:, None]
        self.register_buffer("carriers", carriers.view(-1, members, members).mean(1).float())
        self.register_buffer("steps", steps.T.float().reshape(-1, members, REACH))

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def forward(self, features: Tensor, frames: Tensor) -> Tensor:
        """Compute what to add to features, `(clips, frames, width)` in float32. frames: how many each clip has."""
        count = features.shape[1]
        heard = (features - OFFSET) * (torch.arange(count, device=frames.device) < frames[:, None])[..., None]
        carrier = torch.einsum("ctgi,gi->cgt", heard.unflatten(2, self.carriers.shape), self.carriers)
        size = count + REACH
        spectrum = torch.fft.rfft(carrier, size)[:, :, None] * torch.fft.rfft(self.steps, size)
        answers = torch.fft.irfft(spectrum, size)[..., :count].flatten(1, 2).transpose(1, 2)
        return functional.gelu(answers) - OFFSET


def _steps(width: int) -> Tensor:
    """Return what each frame adds to the sum before it, `(REACH, width)`, so that GELU of the sums is the positions."""
    wanted = _before_gelu(sinusoids(REACH, width).double() + OFFSET)
    return torch.diff(wanted, dim=0, prepend=torch.zeros(1, width, dtype=torch.double))


def _carriers(frames: Tensor, members: int) -> Tensor:
    """Return the weights of each channel group's steadiest sum around 1, `(groups, members)`.

    With the mean m and the covariance C of the channels they are C⁻¹m / (mᵀC⁻¹m): the least variance for a mean of 1.
    """
    groups = frames.view(len(frames), -1, members)
    mean = groups.mean(0)
    covariance = torch.einsum("tgi,tgj->gij", groups - mean, groups - mean) / len(groups)
    solved = torch.linalg.solve(covariance + 1e-4 * torch.eye(members, dtype=frames.dtype), mean[..., None])[..., 0]
    return solved / (solved * mean).sum(-1, keepdim=True)


def _before_gelu(wanted: Tensor) -> Tensor:
    """Solve GELU(y) = `wanted` for y, by Newton's method; `wanted` must be well above 0."""
    found = wanted.clone()
    for _ in range(60):
        slope = 0.5 * (1 + torch.erf(found / 2**0.5)) + found * torch.exp(-found * found / 2) / (2 * math.pi) ** 0.5
        found = found - (functional.gelu(found) - wanted) / slope.clamp_min(0.05)
    return found

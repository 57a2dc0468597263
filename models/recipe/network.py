"""The network: a Wav2Vec2ForCTC whose front end is a mel filterbank before it has learnt anything.

To find the spectrum in raw audio takes a small model most of its first hour. Two convolutions that compute it from the
start leave that hour for speech, and cost a tenth of the usual seven.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from asrd.core.units import SAMPLE_RATE
from asrd.models.recipe.vocabulary import LABELS

BANDS = 64
PHASES = 4

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 4, "intermediate_size": 1024},
    "small": {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "intermediate_size": 1536},
}
"""5.4 million parameters, which a processor can train in an evening, and 22 million, which want a GPU."""

_VARIANCE = 1e-3
"""What speech of unit variance has behind the first convolution. Layer normalisation adds 1e-5 before it divides, so
what is 20 dB below the mean is turned up no further: silence stays quiet."""


def config(size: str = "tiny", **changes: Any) -> Wav2Vec2Config:
    """One frame every 30 ms; `changes` make another size."""
    shape: dict[str, Any] = SIZES[size] | {
        "vocab_size": len(LABELS),
        "pad_token_id": 0,
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
        "conv_bias": True,
        "num_feat_extract_layers": 2,
        "conv_dim": (BANDS * PHASES, BANDS * PHASES),
        "conv_kernel": (400, 3),
        "conv_stride": (160, 3),
        "num_conv_pos_embeddings": 32,
        # not 16: with 16 channels a group, OpenVINO 2026.4 computes this convolution wrongly in INT8 on CPUs with AMX
        "num_conv_pos_embedding_groups": 8,
        "apply_spec_augment": False,
    }
    # what is scarce is practice, not speech: nothing is hidden from the network to keep it from learning by heart
    drops = ("hidden", "attention", "activation", "feat_proj", "final")
    shape |= {f"{place}_dropout": 0.0 for place in drops} | {"layerdrop": 0.0}
    return Wav2Vec2Config(**(shape | changes))


def mel_centres(bands: int = BANDS, low: float = 80.0, high: float = 7400.0) -> list[float]:
    """Frequencies in Hz, evenly spaced in mel, 2595·log10(1 + f/700) (O'Shaughnessy 1987, Speech Communication)."""
    first, last = (2595 * math.log10(1 + f / 700) for f in (low, high))
    return [700 * (10 ** ((first + (last - first) * band / (bands - 1)) / 2595) - 1) for band in range(bands)]


def filterbank(taps: int = 400, bands: int = BANDS) -> Tensor:
    """Windowed cosines and sines and their negatives, `(4 bands, taps)`, each of unit energy.

    Behind a rectifier the four of a band add up to |cosine| + |sine|. The Hann window is as long as the band is
    narrow, 12.5 to 25 ms, so that neighbours just overlap.
    """
    centres = mel_centres(bands)
    time = (torch.arange(taps) - (taps - 1) / 2) / SAMPLE_RATE
    rows = []
    for band, centre in enumerate(centres):
        spacing = centres[min(band + 1, bands - 1)] - centres[min(band, bands - 2)]
        length = min(taps / SAMPLE_RATE, max(0.0125, 2.0 / spacing))
        window = torch.where(time.abs() < length / 2, 0.5 + 0.5 * torch.cos(2 * math.pi * time / length), 0.0)
        window = window / window.square().sum().sqrt()
        rows += [window * torch.cos(2 * math.pi * (centre * time + phase / PHASES)) for phase in range(PHASES)]
    return torch.stack(rows)


def build(speech: Tensor, seed: int = 0, **shape: Any) -> Wav2Vec2ForCTC:
    """A network that has learnt nothing yet. Every band is as loud as every other in `speech`, `(clips, samples)`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Wav2Vec2ForCTC(config(**shape))
        first, second = model.wav2vec2.feature_extractor.conv_layers
        with torch.no_grad():
            _hear(first, speech)
            _add_phases(second)
    return model


def _hear(layer: Any, speech: Tensor) -> None:
    """Make the first convolution the filterbank."""
    filters = filterbank(layer.conv.kernel_size[0])
    heard = nn.functional.conv1d(speech[:, None], filters[:, None], stride=layer.conv.stride[0])
    power = heard.square().mean((0, 2)).view(BANDS, PHASES).mean(1)
    gain = (_VARIANCE / power.clamp_min(power.max() * 1e-5)).sqrt().repeat_interleave(PHASES)
    layer.conv.weight[:, 0] = filters * gain[:, None]
    layer.conv.bias.zero_()
    layer.layer_norm.weight.fill_(4.0)  # steep enough for GELU to be a rectifier


def _add_phases(layer: Any) -> None:
    """Make the second each band at each of three steps of 10 ms, and its change over them."""
    layer.conv.weight.normal_(0, 0.01)
    layer.conv.bias.zero_()
    for band in range(BANDS):
        of_band = slice(band * PHASES, (band + 1) * PHASES)
        for step in range(3):
            layer.conv.weight[step * BANDS + band, of_band, step] += 1 / PHASES
        layer.conv.weight[3 * BANDS + band, of_band, 0] -= 1 / PHASES
        layer.conv.weight[3 * BANDS + band, of_band, 2] += 1 / PHASES
    layer.layer_norm.bias.fill_(1.5)  # above the bend of GELU, so that quiet bands are heard too

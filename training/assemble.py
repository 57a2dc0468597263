"""Assemble the checkpoint that training starts from: Whisper's encoder as a Wav2Vec2ForCTC, with a new head."""

from typing import Any

import torch
from torch import Tensor
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from asrd.core.errors import ModelError
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from asrd.training import encoder, frontend, positions
from asrd.training.frontend import GEOMETRY
from asrd.training.hinges import fit
from asrd.training.vocabulary import LABELS
from asrd.training.whisper import Weights

_MEMBERS = 8
"""Channels per group of the positional convolution: enough for a steady carrier; each already has 512 taps."""

_TOGETHER = 16
"""Clips computed at once."""


def config(width: int, blocks: int) -> Wav2Vec2Config:
    """Return the configuration of a Wav2Vec2 that Whisper's encoder fits into."""
    drops = ("hidden", "attention", "activation", "feat_proj", "final")
    return Wav2Vec2Config(
        vocab_size=len(LABELS),
        pad_token_id=0,
        hidden_size=width,
        num_hidden_layers=blocks,
        num_attention_heads=width // encoder.HEAD_WIDTH,
        intermediate_size=4 * width,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        conv_bias=True,
        num_feat_extract_layers=len(GEOMETRY.kernels),
        conv_dim=frontend.channels(width),
        conv_kernel=GEOMETRY.kernels,
        conv_stride=GEOMETRY.strides,
        num_conv_pos_embeddings=2 * positions.REACH,
        num_conv_pos_embedding_groups=width // _MEMBERS,
        apply_spec_augment=False,
        layerdrop=0.0,
        layer_norm_eps=1e-5,
        **{f"{place}_dropout": 0.0 for place in drops},
    )


def assemble(whisper: Weights, speech: Tensor, seed: int = 0) -> Wav2Vec2ForCTC:
    """Build a Wav2Vec2ForCTC, in evaluation mode, that computes what Whisper's encoder computes; its head is random.

    whisper: weights from `whisper.load`. speech: clips `(clips, samples)` of unit variance, each at least a window
    long, that the front end is fitted to. seed: draws the head.
    """
    hinges = fit(speech)
    model = blank(whisper, seed)
    frontend.install(model, hinges, whisper)
    projection = model.wav2vec2.feature_projection
    projection.projection.bias.data.fill_(-positions.OFFSET)
    positions.bake(model.wav2vec2.encoder.pos_conv_embed, _projected(model, speech[:128, :MAX_WINDOW]))
    return model


def blank(whisper: Weights, seed: int) -> Wav2Vec2ForCTC:
    """Build the model with its blocks, and a head drawn from `seed`; everything before the blocks is still to be
    written.
    """
    width = len(whisper["norm.bias"])
    blocks = sum(name.endswith("qkv.bias") for name in whisper)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: Any = Wav2Vec2ForCTC(config(width, blocks)).eval()
        lean = encoder.Encoder(width, blocks)
        torch.nn.init.normal_(lean.head.weight, std=0.02)
        torch.nn.init.zeros_(lean.head.bias)
    lean.load_state_dict({name: whisper.get(name, value) for name, value in lean.state_dict().items()})
    encoder.write(lean, model)
    return model


def check(model: ModelDirectory) -> None:
    """Raise ModelError where a checkpoint has another shape, so that its front end cannot be read back."""
    if model.geometry != GEOMETRY:
        raise ModelError(f"{model.name} was not made by this recipe; 'asrd finetune' goes on training any model")


@torch.no_grad()  # type: ignore[untyped-decorator]
def _projected(model: Any, speech: Tensor) -> Tensor:
    """Return the feature projection's output for speech, `(frames, width)`."""
    inner = model.wav2vec2
    found = [
        inner.feature_projection(inner.feature_extractor(part).transpose(1, 2))[0].flatten(0, 1)
        for part in speech.split(_TOGETHER)
    ]
    return torch.cat(found)

"""Whisper's encoder with a letter head, as it is trained: all trainable parameters, and nothing else.

It computes what the blocks of the exported Wav2Vec2ForCTC compute, from features instead of audio. Matrix products use
the type of the parameters; the residual stream is always summed in float32.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from asrd.training.positions import sinusoids
from asrd.training.vocabulary import LABELS

HEAD_WIDTH = 64
"""Channels of each attention head, in every Whisper."""

LONGEST = 1499
"""Frames that Whisper has positions for, without its first: 30 s."""


class Block(nn.Module):  # type: ignore[misc]
    """A transformer block that normalizes first (Vaswani et al. 2017; Xiong et al. 2020)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.attention_norm, self.feed_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, stream: Tensor, mask: Tensor | None) -> Tensor:
        """Apply the block.

        stream: `(clips, frames, width)` float32. mask: added to attention scores, `(clips, 1, 1, frames)`.
        """
        clips, frames, width = stream.shape
        parts = self.qkv(normalized(stream, self.attention_norm)).view(clips, frames, 3, -1, HEAD_WIDTH)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        # not the fused kernel, whose backward pass is slower on CPUs
        scores = (query * HEAD_WIDTH**-0.5) @ key.transpose(-1, -2)
        if mask is not None:
            scores = scores + mask
        seen = (scores.softmax(-1) @ value).transpose(1, 2).reshape(clips, frames, width)
        stream = stream + self._some(self.out(seen))
        return stream + self._some(self.down(functional.gelu(self.up(normalized(stream, self.feed_norm)))))

    def _some(self, added: Tensor) -> Tensor:
        return functional.dropout(added, self.dropout, self.training)


class Encoder(nn.Module):  # type: ignore[misc]
    """The blocks, the last layer norm and the head. Its parameters are named as in `whisper.py`."""

    def __init__(self, width: int, blocks: int, dropout: float = 0.0) -> None:
        """dropout: rate in training, on the output of each half of a block."""
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(LABELS))
        self.register_buffer("positions", sinusoids(LONGEST, width), persistent=False)

    def forward(self, features: Tensor, frames: Tensor, positions: Tensor | None = None) -> Tensor:
        """Compute logits, float32 `(clips, frames, labels)`.

        features: `(clips, frames, width)` float32. frames: of each clip, `(clips,)`; those beyond are masked.
        positions: added to the features; by default Whisper's own, of which there are `LONGEST`.
        """
        count = features.shape[1]
        stream = features + (self.positions[:count] if positions is None else positions)
        mask = None
        if bool((frames < count).any()):
            hidden = torch.arange(count, device=frames.device) >= frames[:, None]
            mask = torch.zeros(hidden.shape, dtype=self.head.weight.dtype, device=frames.device)
            mask = mask.masked_fill_(hidden, -1e4)[:, None, None]
        for block in self.blocks:
            stream = block(stream, mask)
        logits: Tensor = self.head(normalized(stream, self.norm))
        return logits.float()


def normalized(stream: Tensor, norm: nn.LayerNorm) -> Tensor:
    """Apply a layer norm in float32; return the result in the type of its weights."""
    weight, bias = norm.weight.float(), norm.bias.float()
    return functional.layer_norm(stream, norm.normalized_shape, weight, bias, norm.eps).to(norm.weight.dtype)


def read(model: Any, dropout: float = 0.0) -> Encoder:
    """Copy the blocks and the head of a Wav2Vec2ForCTC, in float32."""
    encoder = Encoder(model.config.hidden_size, model.config.num_hidden_layers, dropout)
    with torch.no_grad():
        for ours, theirs in _pairs(encoder, model):
            ours.copy_(torch.cat([part.detach().float() for part in theirs]))
    return encoder


@torch.no_grad()  # type: ignore[untyped-decorator]
def write(encoder: Encoder, model: Any) -> None:
    """Copy the blocks and the head back into a Wav2Vec2ForCTC of the same shape."""
    for ours, theirs in _pairs(encoder, model):
        for part, value in zip(theirs, ours.detach().chunk(len(theirs)), strict=True):
            part.copy_(value)


def _pairs(encoder: Encoder, model: Any) -> list[tuple[Tensor, list[Tensor]]]:
    """Pair each parameter with those of the model that it is stacked from."""
    inner = model.wav2vec2.encoder
    layers = [(encoder.norm, [inner.layer_norm]), (encoder.head, [model.lm_head])]
    for ours, theirs in zip(encoder.blocks, inner.layers, strict=True):
        attention, feed = theirs.attention, theirs.feed_forward
        layers += [
            (ours.attention_norm, [theirs.layer_norm]),
            (ours.qkv, [attention.q_proj, attention.k_proj, attention.v_proj]),
            (ours.out, [attention.out_proj]),
            (ours.feed_norm, [theirs.final_layer_norm]),
            (ours.up, [feed.intermediate_dense]),
            (ours.down, [feed.output_dense]),
        ]
    return [
        (getattr(layer, name), [getattr(part, name) for part in parts])
        for layer, parts in layers
        for name in ("weight", "bias")
    ]

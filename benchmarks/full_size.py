"""Expand the small bundled model to the size of wav2vec2-base, without changing what it computes.

A benchmark of accuracy control needs a model of full size that recognises speech, and none can be bundled. Each channel
is there twice and weights are halved, which leaves sums, means and variances as they are; each head is there twice;
further blocks add nothing. `--fragile` adds outliers that plain 8 bits do not survive, and that change nothing either.

    python benchmarks/full_size.py --fragile -o full-size
    asrd quantize --model full-size -o full-size-int8 --smooth-quant -1 --dataset bundled
"""

import shutil
from pathlib import Path
from typing import Any

import click
import torch
import transformers

from asrd.models import ModelDirectory, convert
from asrd.models.checkpoint import load_checkpoint
from asrd.models.store import resolve

BLOCKS = 12
OUTLIER = 3000


def interleaved(weight: torch.Tensor, *axes: int) -> torch.Tensor:
    """Double channels in place: 0, 0, 1, 1, … along each axis."""
    for axis in axes:
        weight = weight.repeat_interleave(2, axis)
    return weight


def expand(small: Any) -> Any:
    """Return a network of twice the width and 12 blocks that computes the same."""
    settings = small.config.to_dict()
    for name in ("hidden_size", "intermediate_size", "num_attention_heads", "output_hidden_size"):
        settings[name] *= 2
    network = transformers.Wav2Vec2ForCTC(
        transformers.Wav2Vec2Config(**settings | {"num_hidden_layers": BLOCKS})
    ).eval()
    before, after = small.wav2vec2, network.wav2vec2
    after.feature_extractor.load_state_dict(before.feature_extractor.state_dict())
    after.feature_projection.layer_norm.load_state_dict(before.feature_projection.layer_norm.state_dict())
    with torch.no_grad():
        _double(before.feature_projection.projection, after.feature_projection.projection, takes=False)
        _positions(before.encoder.pos_conv_embed.conv, after.encoder.pos_conv_embed.conv)
        _norm(before.encoder.layer_norm, after.encoder.layer_norm)
        for index, block in enumerate(after.encoder.layers):
            source = before.encoder.layers[min(index, len(before.encoder.layers) - 1)]
            _block(source, block, silent=index >= len(before.encoder.layers))
        network.lm_head.weight.copy_(interleaved(small.lm_head.weight, 1) / 2)
        network.lm_head.bias.copy_(small.lm_head.bias)
    return network


def _double(before: Any, after: Any, *, takes: bool = True) -> None:
    """Double what a product gives, and what it takes."""
    weight = interleaved(before.weight, 1) / 2 if takes else before.weight
    after.weight.copy_(interleaved(weight, 0))
    after.bias.copy_(interleaved(before.bias, 0))


def _positions(before: Any, after: Any) -> None:
    """Double a convolution whose weight is a direction and a length; halved directions keep the length."""
    old, new = before.parametrizations.weight, after.parametrizations.weight
    new.original0.copy_(old.original0)
    new.original1.copy_(interleaved(old.original1, 0, 1) / 2)
    after.bias.copy_(interleaved(before.bias, 0))


def _norm(before: Any, after: Any) -> None:
    after.weight.copy_(interleaved(before.weight, 0))
    after.bias.copy_(interleaved(before.bias, 0))


def _block(before: Any, after: Any, *, silent: bool) -> None:
    """Copy a block; heads are there twice, one after the other. silent: it adds nothing to its input."""
    for name in ("layer_norm", "final_layer_norm"):
        _norm(getattr(before, name), getattr(after, name))
    for name in ("q_proj", "k_proj", "v_proj"):
        old, new = getattr(before.attention, name), getattr(after.attention, name)
        new.weight.copy_((interleaved(old.weight, 1) / 2).repeat(2, 1))
        new.bias.copy_(old.bias.repeat(2))
    out = before.attention.out_proj
    after.attention.out_proj.weight.copy_(interleaved(out.weight.repeat(1, 2) / 2, 0))
    after.attention.out_proj.bias.copy_(interleaved(out.bias, 0))
    _double(before.feed_forward.intermediate_dense, after.feed_forward.intermediate_dense)
    _double(before.feed_forward.output_dense, after.feed_forward.output_dense)
    if silent:  # other weights than those of the last block, which a file would keep once
        for first in (after.attention.q_proj, after.attention.k_proj, after.attention.v_proj):
            first.weight.normal_(std=0.02)
        after.feed_forward.intermediate_dense.weight.normal_(std=0.02)
        for last in (after.attention.out_proj, after.feed_forward.output_dense):
            last.weight.zero_()
            last.bias.zero_()


def weaken(network: Any) -> None:
    """Give the third convolution and the projection an outlier in their input, on a channel that they ignore."""
    projection = network.wav2vec2.feature_projection
    layers = network.wav2vec2.feature_extractor.conv_layers
    for norm, weight in (
        (layers[1].layer_norm, layers[2].conv.weight),
        (projection.layer_norm, projection.projection.weight),
    ):
        channel = int(weight.abs().transpose(0, 1).flatten(1).sum(1).argmin())
        with torch.no_grad():
            weight[:, channel] = 0
            norm.weight[channel] = 0
            norm.bias[channel] = OUTLIER


@click.command(help=__doc__)
@click.option("--model", default="asrd-tiny-en", show_default=True, help="Model to expand.")
@click.option("--fragile", is_flag=True, help="Add outliers that plain 8 bits do not survive.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Directory to write.")
def main(model: str, fragile: bool, output: Path) -> None:
    """Write the expanded model, and its FP16 network."""
    source = resolve(model)
    shutil.copytree(
        source.path, output, ignore=shutil.ignore_patterns("openvino", "manifest.json", "README.md", "*.jsonl")
    )
    small = load_checkpoint(source)
    torch.manual_seed(0)
    network = expand(small)
    audio = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        apart = (small(audio).logits - network(audio).logits).abs().max()
    if fragile:
        weaken(network)
    network.save_pretrained(output)
    convert.convert(ModelDirectory.open(output))
    click.echo(
        f"{sum(each.numel() for each in network.parameters()) / 1e6:.0f} million weights; logits differ by {apart:.1e}"
    )


if __name__ == "__main__":
    main()

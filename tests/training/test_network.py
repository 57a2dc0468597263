"""The untrained network computes what Whisper's encoder computes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2LayerNormConvLayer

from asrd.core.errors import ModelError
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from asrd.models.checkpoint import load_checkpoint
from asrd.training import encoder, positions
from asrd.training.assemble import assemble, check, config
from asrd.training.export import export
from asrd.training.frontend import FrontEnd, frames
from asrd.training.hinges import fit
from asrd.training.logmel import log_mel
from asrd.training.neutral import gain_of, neutralise
from asrd.training.vocabulary import LABELS
from asrd.training.whisper import Weights
from tests.training.conftest import BLOCKS, WIDTH


@pytest.fixture(scope="module")
def network(whisper: Weights, sound: torch.Tensor) -> Any:
    return assemble(whisper, sound)


def nmse(made: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((made - wanted).square().mean() / wanted.var())


def test_the_logarithms_are_nearly_whispers(sound: torch.Tensor) -> None:
    """The front end is fitted to half of the clips, and measured on the others."""
    assert nmse(fit(sound[::2]).log_mel(sound[1::2]), log_mel(sound[1::2])) < 0.01


def test_features_are_nearly_those_of_whispers_convolutions(
    network: Any, whisper: Weights, sound: torch.Tensor
) -> None:
    with torch.no_grad():
        found = FrontEnd(network)(sound)
        wanted = log_mel(sound).transpose(1, 2)
        wanted = functional.gelu(functional.conv1d(wanted, whisper["conv1.weight"], whisper["conv1.bias"]))
        wanted = functional.gelu(functional.conv1d(wanted, whisper["conv2.weight"], whisper["conv2.bias"], stride=2))
    assert nmse(found, wanted.transpose(1, 2)) < 0.03


def test_the_training_network_computes_what_the_exported_one_does(network: Any, sound: torch.Tensor) -> None:
    lean = encoder.read(network)
    heard, lengths = sound[:4, :MAX_WINDOW].clone(), torch.tensor([MAX_WINDOW, MAX_WINDOW, 20_000, 9000])
    for clip, length in zip(heard, lengths, strict=True):
        clip[length:] = 0
    mask = (torch.arange(MAX_WINDOW) < lengths[:, None]).long()
    exported = positions.Exported(network.wav2vec2.encoder.pos_conv_embed)
    with torch.no_grad():
        features = FrontEnd(network)(heard)
        ours = lean(features, frames(lengths), exported(features, frames(lengths)))
        theirs = network(heard, attention_mask=mask).logits
    assert ours.shape == (4, 93, len(LABELS))
    for row, count in enumerate(frames(lengths).tolist()):
        assert nmse(ours[row, :count], theirs[row, :count]) < 0.001


def test_an_exported_model_is_read_back(network: Any, whisper: Weights, sound: torch.Tensor, tmp_path: Path) -> None:
    model = export(assemble(whisper, sound), tmp_path / "model")
    assert model.vocabulary.tokens == LABELS
    assert (model.normalize, model.attention_mask) == (True, True)
    assert '"dtype": "float32"' in (model.path / "config.json").read_text(encoding="utf-8")
    check(model)
    read = load_checkpoint(model)
    ours, theirs = encoder.read(network).state_dict(), encoder.read(read).state_dict()
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-3, rtol=1e-3) for name in ours)
    with torch.no_grad():
        assert nmse(FrontEnd(read)(sound), FrontEnd(network)(sound)) < 1e-3
        assert nmse(read(sound[:2]).logits, network(sound[:2]).logits) < 0.01


def test_weights_of_the_blocks_are_whispers(network: Any, whisper: Weights) -> None:
    lean = encoder.read(network).state_dict()
    for name, weight in whisper.items():
        assert name.startswith("conv") or torch.equal(lean[name], weight), name
    assert torch.equal(assemble_head(whisper, 1), assemble_head(whisper, 1))
    assert not torch.equal(assemble_head(whisper, 1), assemble_head(whisper, 2))


def assemble_head(whisper: Weights, seed: int) -> torch.Tensor:
    from asrd.training.assemble import blank

    state = torch.random.get_rng_state()
    weight: torch.Tensor = blank(whisper, seed).lm_head.weight
    assert torch.equal(state, torch.random.get_rng_state())  # the random state is unchanged
    return weight


def test_a_neutral_layer_norm_changes_nothing() -> None:
    """For any input, the useful channels come out as the convolution alone would give them, times the gain."""
    shape = config(WIDTH, BLOCKS)
    shape.conv_dim, shape.conv_kernel, shape.conv_stride = (64,), (5,), (1,)
    layer = Wav2Vec2LayerNormConvLayer(shape, 0)
    generator = torch.Generator().manual_seed(1)
    layer.conv.weight.data = torch.randn(64, 1, 5, generator=generator)
    layer.conv.bias.data = torch.randn(64, generator=generator)
    neutralise(layer, 40, 8, 2000.0, gain=3.0)
    heard = torch.randn(2, 1, 200, generator=generator) * torch.tensor([0.1, 5.0])[:, None, None]
    with torch.no_grad():
        made = layer.layer_norm(layer.conv(heard).transpose(1, 2))
        wanted = 3 * layer.conv(heard).transpose(1, 2)[..., :40]
    assert torch.allclose(made[..., :40], wanted, rtol=2e-3, atol=0.02)
    assert not made[..., 40:].any()
    assert torch.allclose(gain_of(layer, 40), torch.full((40,), 3.0))


def test_positions_are_exact_where_the_carrier_is() -> None:
    """The frames are random, but each group adds up to 1."""
    from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2PositionalConvEmbedding

    embedding = Wav2Vec2PositionalConvEmbedding(config(WIDTH, BLOCKS))
    drawn = torch.randn(5000, WIDTH // 8, 8, generator=torch.Generator().manual_seed(2))
    frames = (drawn - drawn.mean(-1, keepdim=True) + 1 / 8).flatten(1)
    positions.bake(embedding, frames)
    with torch.no_grad():
        made = embedding(frames[None, :300])[0]
        added = positions.Exported(embedding)(frames[None, :300] + positions.OFFSET, torch.tensor([300]))[0]
    assert torch.allclose(added + positions.OFFSET, made, atol=1e-3)
    table = positions.sinusoids(positions.REACH, WIDTH)
    wanted = torch.cat([table, table[-1:].expand(300 - positions.REACH, -1)]) + positions.OFFSET
    assert torch.allclose(made, wanted, atol=0.02)


def test_a_window_of_the_daemon_is_93_frames(start: Path) -> None:
    geometry = ModelDirectory.open(start).geometry
    assert (geometry.stride, geometry.receptive_field, geometry.frames(MAX_WINDOW)) == (320, 1040, 93)
    lengths = torch.tensor([0, 1039, 1040, MAX_WINDOW])
    assert frames(lengths).tolist() == [0, 0, 1, 93]


def test_a_model_of_another_make_is_refused(lv60_model: ModelDirectory) -> None:
    with pytest.raises(ModelError, match="not made by this recipe; 'asrd finetune'"):
        check(lv60_model)


@pytest.mark.parametrize(("width", "blocks", "most"), [(384, 4, 10.7e6), (512, 6, 23.7e6)])
def test_it_is_as_large_as_whispers_encoder(width: int, blocks: int, most: float) -> None:
    with torch.device("meta"):
        import transformers

        parameters = sum(weight.numel() for weight in transformers.Wav2Vec2ForCTC(config(width, blocks)).parameters())
    assert parameters < most

"""The network before it has learnt anything: its front end is a filterbank."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asrd.models import Geometry
from asrd.models.recipe.export import export
from asrd.models.recipe.network import BANDS, PHASES, build, config, filterbank, mel_centres
from asrd.models.recipe.vocabulary import LABELS

SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 4,
}


@pytest.fixture(scope="module")
def network() -> Any:
    noise = torch.randn(4, 48_000, generator=torch.Generator().manual_seed(0))
    return build(noise, seed=1, **SHAPE).eval()


@pytest.mark.parametrize("band", [0, 7, 20, 40, 63])
def test_a_tone_is_heard_in_its_own_band(band: int) -> None:
    tone = torch.sin(2 * math.pi * mel_centres()[band] * torch.arange(16_000) / 16_000)
    heard = torch.nn.functional.conv1d(tone[None, None], filterbank()[:, None], stride=160)[0]
    loudness = heard.abs().mean(1).view(BANDS, PHASES).sum(1)
    assert abs(int(loudness.argmax()) - band) <= 1


def test_phases_cancel_and_together_do_not_depend_on_the_phase() -> None:
    assert torch.allclose(filterbank().view(BANDS, PHASES, -1).sum(1), torch.zeros(BANDS, 400), atol=1e-5)
    time = torch.arange(400) / 16_000
    loudness = [
        torch.relu(filterbank() @ torch.sin(2 * math.pi * 1000 * time + shift)).sum() for shift in (0.0, 0.5, 1.0, 1.5)
    ]
    assert max(loudness) < 1.5 * min(loudness)


def test_every_band_is_equally_loud(network: Any) -> None:
    layer = network.wav2vec2.feature_extractor.conv_layers[0]
    noise = torch.randn(4, 48_000, generator=torch.Generator().manual_seed(0))
    power = layer.conv(noise[:, None]).square().mean((0, 2)).view(BANDS, PHASES).mean(1)
    assert torch.allclose(power, torch.full((BANDS,), 1e-3), rtol=1e-3)


def test_different_tones_give_different_frames(network: Any) -> None:
    def frame(hertz: float) -> Any:
        tone = torch.sin(2 * math.pi * hertz * torch.arange(720) / 16_000)[None]
        return torch.nn.functional.normalize(network.wav2vec2.feature_extractor(tone)[0, :, 0], dim=0)

    with torch.inference_mode():
        assert float(frame(300.0) @ frame(300.0)) > 0.999
        assert float(frame(300.0) @ frame(2000.0)) < 0.8


def test_the_window_of_the_daemon_is_63_frames() -> None:
    geometry = Geometry.from_config(config().to_dict())
    assert (geometry.stride, geometry.receptive_field, geometry.frames(30_480)) == (480, 720, 63)


def test_the_same_seed_gives_the_same_network_and_leaves_chance_alone() -> None:
    speech = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    before = torch.random.get_rng_state()
    one, same, other = (build(speech, seed, **SHAPE).lm_head.weight for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_it_has_the_promised_size() -> None:
    with torch.device("meta"):
        import transformers

        parameters = sum(weight.numel() for weight in transformers.Wav2Vec2ForCTC(config()).parameters())
    assert parameters < 5.9e6


def test_export_is_read_by_asrd_and_sounds_the_same(network: Any, tmp_path: Path) -> None:
    from asrd.models.checkpoint import load_checkpoint

    model = export(network, tmp_path / "model")
    assert model.vocabulary.tokens == LABELS
    assert (model.normalize, model.attention_mask) == (True, True)
    pcm = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 8000), np.float32))
    with torch.inference_mode():
        assert torch.allclose(load_checkpoint(model)(pcm).logits, network(pcm).logits, atol=0.02)

"""Every family runs on every backend, and gives what transformers gives."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from asrd.backends import Backend, LoadOptions, load
from asrd.backends.conformance import BackendConformance
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from asrd.models.checkpoint import load_checkpoint
from asrd.models.families import FAMILIES as TYPES
from asrd.models.files import read_object
from tests.checkpoints import FAMILIES, KINDS

CORE = ("hubert", "wavlm", "sew", "conformer-relative")
"""Kinds that differ most from wav2vec2; the others take as long again."""


def kinds(names: tuple[str, ...]) -> list[object]:
    return [pytest.param(kind, marks=() if kind in CORE else pytest.mark.slow) for kind in names]


ALL = kinds((*FAMILIES, "conformer-rotary", "wavlm-large"))
Made = Callable[[str], ModelDirectory]


class EveryFamily(BackendConformance):
    options = LoadOptions(cache=False)

    @pytest.fixture(scope="class", params=kinds(FAMILIES))
    @classmethod
    def model(cls, family: Made, request: pytest.FixtureRequest) -> ModelDirectory:
        return family(request.param)


class TestTorch(EveryFamily):
    name = "torch"


class TestFp16(EveryFamily):
    name = "fp16"


class TestInt8(EveryFamily):
    name = "int8"


def test_every_family_is_tried(family: Made) -> None:
    import transformers

    tried = {getattr(transformers, f"{KINDS[kind][0]}Config").model_type for kind in (*FAMILIES, "base")}
    assert tried == set(TYPES)


def test_transformers_has_these_classes() -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CTC_MAPPING_NAMES

    assert {kind: MODEL_FOR_CTC_MAPPING_NAMES[kind] for kind in TYPES} == TYPES


@pytest.mark.parametrize("kind", ALL)
def test_frames_are_those_of_the_network_at_every_length(family: Made, kind: str) -> None:
    model = family(kind)
    network, geometry = load_checkpoint(model), model.geometry
    assert geometry.squeeze == read_object(model.path / "config.json").get("squeeze_factor", 1)
    shortest = geometry.shortest
    lengths = [*range(shortest, shortest + 3 * geometry.stride, 63), *range(MAX_WINDOW - 640, MAX_WINDOW + 1, 159)]
    with torch.inference_mode():
        assert [network(torch.zeros(1, length)).logits.shape[1] for length in lengths] == [
            geometry.frames(length) for length in lengths
        ]
        with pytest.raises(RuntimeError):
            network(torch.zeros(1, shortest - 1))


def spread(backend: Backend, windows: FloatArray, length: int) -> FloatArray:
    """Compute the logits of letters; those of other outputs are far off, so that no text has them."""
    return backend.logits(windows[:, :length])[..., [0, *range(4, len(backend.model.vocabulary))]]


@pytest.mark.parametrize("kind", ALL)
def test_fp16_and_int8_are_near_torch(family: Made, kind: str) -> None:
    """A graph that has a length or a position of the window it was traced with in it would be far off elsewhere."""
    model = family(kind)
    torch_, fp16, int8 = (load(name, model, LoadOptions(cache=False)) for name in ("torch", "fp16", "int8"))
    windows = np.random.default_rng(3).standard_normal((1, 51_234)).astype(np.float32)
    for length in (model.geometry.shortest, 4001, MAX_WINDOW - 1, MAX_WINDOW, 51_234):
        reference = spread(torch_, windows, length)
        deviation = reference.std()
        assert deviation > 0.05
        assert np.abs(spread(fp16, windows, length) - reference).max() < 0.01 * deviation, length
        if length > 4000:  # fewer frames have other ranges than the windows it learned on
            error = spread(int8, windows, length) - reference
            assert np.sqrt(np.mean(error**2)) < 0.2 * deviation, length

"""The bundled backends pass the conformance tests on every kind of model."""

import numpy as np
import psutil
import pytest

from asrd.backends import load
from asrd.backends.conformance import BackendConformance
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory


class AnyModel(BackendConformance):
    @pytest.fixture(scope="class", params=["bundled", "base_model", "lv60_model"])
    @classmethod
    def model(cls, request: pytest.FixtureRequest) -> ModelDirectory:
        return request.getfixturevalue(request.param)


class TestTorch(AnyModel):
    name = "torch"


class TestFp16(AnyModel):
    name = "fp16"


class TestInt8(BackendConformance):
    name = "int8"


@pytest.mark.slow
def test_memory_does_not_grow_with_every_new_length(bundled: ModelDirectory) -> None:
    """Windows at the end of a stream can have any length, so memory must not grow with each new one."""
    backend = load("int8", bundled)
    field, chance = bundled.geometry.receptive_field, np.random.default_rng(0)

    def hear(lengths: int) -> int:
        for length in chance.integers(field, MAX_WINDOW, lengths):
            backend.logits(chance.standard_normal((1, length), np.float32))
        return psutil.Process().memory_info().rss

    settled = hear(150)
    assert hear(150) - settled < 60 * 2**20
    backend.close()

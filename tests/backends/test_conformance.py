"""The bundled backends, each on every kind of model."""

import pytest

from asrd.backends.conformance import BackendConformance
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

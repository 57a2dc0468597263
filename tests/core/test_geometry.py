"""The geometry counts frames as real convolutions do."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import ModelError
from asrd.core.units import MAX_WINDOW
from asrd.models import Geometry

STANDARD = Geometry((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
layers = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 6)), min_size=1, max_size=5)


def geometry(layers: list[tuple[int, int]]) -> Geometry:
    kernels, strides = zip(*layers, strict=True)
    return Geometry(kernels, strides)


def test_the_standard_front_end() -> None:
    assert (STANDARD.receptive_field, STANDARD.stride, STANDARD.frames(MAX_WINDOW)) == (400, 320, 95)
    assert STANDARD.frames(MAX_WINDOW - 1) == 94


@given(layers, st.integers(0, 3000))
def test_frames_are_those_of_a_convolution_stack(layers: list[tuple[int, int]], samples: int) -> None:
    signal = torch.zeros(1, 1, samples)
    for kernel, stride in layers:
        if signal.shape[2] < kernel:
            signal = signal[:, :, :0]
            break
        signal = torch.nn.functional.conv1d(signal, torch.ones(1, 1, kernel), stride=stride)
    assert geometry(layers).frames(samples) == signal.shape[2]


@given(layers, st.integers(1, 4), st.integers(0, 3000))
def test_a_squeezing_network_gives_as_many_frames_unless_it_has_too_few(
    layers: list[tuple[int, int]], squeeze: int, samples: int
) -> None:
    plain = geometry(layers)
    shape = Geometry(plain.kernels, plain.strides, squeeze)
    assert shape.frames(samples) == (plain.frames(samples) if samples >= shape.shortest else 0)
    assert shape.frames(shape.shortest) == squeeze


@given(layers, st.integers(0, 5000))
def test_frames_follow_from_receptive_field_and_stride(layers: list[tuple[int, int]], samples: int) -> None:
    shape = geometry(layers)
    expected = (samples - shape.receptive_field) // shape.stride + 1 if samples >= shape.receptive_field else 0
    assert shape.frames(samples) == expected


@given(layers)
def test_a_frame_sees_its_receptive_field_and_nothing_else(layers: list[tuple[int, int]]) -> None:
    shape = geometry(layers)
    field, stride = shape.receptive_field, shape.stride
    signal = torch.zeros(1, 1, field + stride, dtype=torch.float64, requires_grad=True)
    frames = signal
    for kernel, step in layers:
        frames = torch.nn.functional.conv1d(frames, torch.ones(1, 1, kernel, dtype=torch.float64), stride=step)
    frames[0, 0, 1].backward()
    seen = signal.grad[0, 0].nonzero().flatten().tolist()
    assert (seen[0], seen[-1]) == (stride, stride + field - 1)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"conv_kernel": [10, 3]},
        {"conv_kernel": [10, 3], "conv_stride": [5]},
        {"conv_kernel": [10, 0], "conv_stride": [5, 2]},
        {"conv_kernel": [], "conv_stride": []},
        {"conv_kernel": "10", "conv_stride": "5"},
        {"conv_kernel": [10.0], "conv_stride": [5]},
        {"conv_kernel": [10], "conv_stride": [5], "add_adapter": True},
        {"conv_kernel": [10], "conv_stride": [5], "squeeze_factor": 0},
        {"conv_kernel": [10], "conv_stride": [5], "squeeze_factor": "2"},
    ],
)
def test_a_malformed_configuration_is_a_model_error(config: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=r"^config\.json: "):
        Geometry.from_config(config)

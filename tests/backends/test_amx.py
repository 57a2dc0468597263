"""Convolutions that some CPUs compute wrongly in 8 bits stay in higher precision."""

from typing import Any

import numpy as np
import pytest

from asrd.backends import amx
from asrd.core import cpu
from asrd.models import runtime

CASES = [(16, 32, True), (24, 8, True), (48, 128, False), (32, 32, False), (16, 1, False)]


def _network(channels: int, taps: int, rounded: bool = True) -> Any:
    """Build a grouped convolution as quantization leaves it: 4 groups of `channels`."""
    ops = runtime.openvino().opset13
    audio = ops.parameter([1, 95, 4 * channels], np.float32)
    edges = [np.float32(edge) for edge in (-4.0, 3.97)]
    heard = ops.fake_quantize(audio, *edges, *edges, 256) if rounded else audio
    # Half the range: CPUs without VNNI add two products in 16 bits, and would clip larger ones.
    weights = np.random.default_rng(0).integers(-63, 64, (4, channels, channels, taps)).astype(np.int8)
    scaled = ops.multiply(ops.convert(ops.constant(weights), np.float32), ops.constant(np.float32(0.01)))
    turned = ops.transpose(heard, ops.constant([0, 2, 1]))
    answer = ops.group_convolution(turned, scaled, [1], [taps // 2], [taps // 2], [1])
    return runtime.openvino().Model([answer], [audio])


def _answer(network: Any, audio: Any) -> Any:
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    return runtime.openvino().Core().compile_model(network, "CPU", settings)({0: audio})[0].copy()


@pytest.mark.parametrize(("channels", "taps", "unsafe"), CASES)
def test_what_is_spared_is_right_on_this_processor(
    channels: int, taps: int, unsafe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "flags", lambda: ["amx_int8"])
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    audio = np.random.default_rng(1).standard_normal((1, 95, 4 * channels)).astype(np.float32)
    network = _network(channels, taps)
    assert bool(amx.spare(network)) is unsafe
    exact = _answer(_network(channels, taps, rounded=False), audio)
    assert np.abs(_answer(network, audio) - exact).max() < 0.02 * np.abs(exact).max()


@pytest.mark.parametrize(("flags", "limit"), [([], ""), (["avx512_vnni"], ""), (["amx_int8"], "AVX512_CORE_VNNI")])
def test_nothing_is_spared_where_it_would_be_right(
    flags: list[str], limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "flags", lambda: flags)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if limit:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert amx.spare(_network(16, 32)) == []

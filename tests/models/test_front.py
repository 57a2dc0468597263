"""The rewritten front end computes what the convolution and its normalisation did, for any audio."""

from typing import Any

import numpy as np
import pytest

from asrd.models import runtime
from asrd.models.front import PRODUCT, rewrite_front

CHANNELS = 8


def _network(taps: int = 10, hop: int = 5, groups: int = CHANNELS, inputs: int = 1) -> Any:
    """Return a convolution over `(batch, samples)`, its normalisation and activation, as a converter writes them."""
    ops = runtime.openvino().opset13
    chance = np.random.default_rng(1)

    def constant(*shape: int) -> Any:
        return ops.constant(chance.standard_normal(shape).astype(np.float32))

    audio = ops.parameter([-1, -1], np.float32, name="audio")
    channel = ops.unsqueeze(audio, ops.constant(np.int64(1)))
    if inputs > 1:
        channel = ops.concat([channel] * inputs, 1)
    convolved = ops.convolution(channel, constant(CHANNELS, inputs, taps), [hop], [0], [0], [1])
    normal = ops.group_normalization(convolved, constant(CHANNELS), constant(CHANNELS), groups, 1e-5)
    return runtime.openvino().Model([ops.gelu(normal, "erf")], [audio])


def _run(network: Any, audio: np.ndarray) -> np.ndarray:
    compiled = runtime.openvino().Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled.create_infer_request().infer({0: audio})[0])


@pytest.mark.parametrize(("taps", "hop"), [(10, 5), (4, 4), (9, 3)])
def test_it_is_equal(taps: int, hop: int) -> None:
    chance = np.random.default_rng(2)
    plain, rewritten = _network(taps, hop), _network(taps, hop)
    assert rewrite_front(rewritten)
    assert PRODUCT in {node.get_friendly_name() for node in rewritten.get_ops()}
    for batch, samples in ((2, 3000), (1, 3001), (3, 2999), (1, taps)):
        audio = (
            chance.standard_normal((batch, samples)).astype(np.float32).cumsum(axis=1) / 10 + 3
        )  # low, with an offset
        before, after = _run(plain, audio), _run(rewritten, audio)
        assert before.shape == after.shape
        np.testing.assert_allclose(after, before, atol=2e-4)


def test_silence_is_no_division_by_zero() -> None:
    rewritten = _network()
    rewrite_front(rewritten)
    np.testing.assert_allclose(
        _run(rewritten, np.zeros((1, 500), np.float32)), _run(_network(), np.zeros((1, 500), np.float32))
    )


@pytest.mark.parametrize("other", [{"taps": 9, "hop": 5}, {"groups": 2}, {"inputs": 2}])
def test_other_networks_stay_as_they_are(other: dict[str, int]) -> None:
    network = _network(**other)
    before = [node.get_friendly_name() for node in network.get_ordered_ops()]
    assert not rewrite_front(network)
    assert [node.get_friendly_name() for node in network.get_ordered_ops()] == before
    assert not rewrite_front(rewritten := _network()) or not rewrite_front(rewritten)

"""The converted network equals the checkpoint at every length, and converting has no side effects."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asrd.backends import LoadOptions, registry
from asrd.core.errors import ModelError
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory, manifest, runtime
from asrd.models.convert import convert, save


@pytest.mark.parametrize("kind", ["bundled", "base_model", "lv60_model"])
@pytest.mark.parametrize("shape", [(1, MAX_WINDOW), (1, 4001), (1, 51_234), (2, 12_345)])
def test_logits_agree_with_the_checkpoint(kind: str, shape: tuple[int, int], request: pytest.FixtureRequest) -> None:
    # Tracing saw one window of one length: nothing of that may have become a constant of the graph.
    model: ModelDirectory = request.getfixturevalue(kind)
    audio = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    options = LoadOptions(cache=False)
    reference = registry.load("torch", model, options).logits(audio)
    converted = registry.load("fp16", model, options).logits(audio)
    assert np.abs(converted - reference).max() < 1e-2
    assert np.ptp(reference) > 0.1  # two constants would agree as well


def test_converting_again_gives_the_same_weights(base_model: ModelDirectory) -> None:
    weights = base_model.openvino("fp16").with_suffix(".bin")
    before = weights.read_bytes()
    convert(base_model)
    assert weights.read_bytes() == before
    assert manifest.verify(base_model.path) == []


def test_a_failed_write_is_one_line_and_leaves_nothing(base_model: ModelDirectory, tmp_path: Path) -> None:
    network = runtime.openvino().Core().read_model(base_model.openvino("fp16"))
    (tmp_path / "openvino").write_text("a file where the directory belongs", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be written"):
        save(network, tmp_path / "openvino" / "fp16.xml", compress=True)
    assert [path.name for path in tmp_path.iterdir()] == ["openvino"]


@pytest.mark.parametrize("room", [1000, 100_000], ids=["for the weights' beginning", "for more of them"])
def test_a_full_disk_is_one_line_and_leaves_what_was_there(
    base_model: ModelDirectory, tmp_path: Path, room: int
) -> None:
    """OpenVINO reports a stream error for it, which is not an OSError."""
    network = runtime.openvino().Core().read_model(base_model.openvino("fp16"))
    (tmp_path / "fp16.xml").write_text("older", encoding="utf-8")
    bound = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, bound[1]))  # Python ignores the signal that goes with it
    try:
        with pytest.raises(ModelError, match=r"fp16.xml cannot be written \(.*\); make room") as caught:
            save(network, tmp_path / "fp16.xml", compress=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bound)
    assert "\n" not in str(caught.value)
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["older"]


def test_saving_leaves_only_the_pair(base_model: ModelDirectory, tmp_path: Path) -> None:
    network = runtime.openvino().Core().read_model(base_model.openvino("fp16"))
    for _ in range(2):  # the second time over an existing pair
        save(network, tmp_path / "fp16.xml", compress=True)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["fp16.bin", "fp16.xml"]


def test_a_directory_without_a_checkpoint_says_so(base_model: ModelDirectory, tmp_path: Path) -> None:
    for name in ("config.json", "processor_config.json", "vocab.json"):
        (tmp_path / name).write_bytes((base_model.path / name).read_bytes())
    with pytest.raises(ModelError, match="holds no checkpoint"):
        convert(ModelDirectory.open(tmp_path))


WITHOUT_NETWORK = """
import sys
from pathlib import Path

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        print(event, arguments, flush=True)

sys.addaudithook(refuse)
from asrd.models import ModelDirectory, runtime
from asrd.models.convert import convert

convert(ModelDirectory.open(Path(sys.argv[1])))
runtime.nncf().quantize
"""


@pytest.mark.slow
def test_converting_and_quantizing_send_nothing(base_model: ModelDirectory, tmp_path: Path) -> None:
    # Their reporter keeps quiet in CI and under pytest, hence the bare environment of the subprocess. It also
    # leaves an identity in the home directory, so an untouched one shows that it never ran.
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD", "JENKINS_URL")}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK, str(base_model.path)],
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == ""
    assert not (tmp_path / "intel").exists()

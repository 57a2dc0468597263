"""Backends are found and loaded; every error is one line."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asrd.backends import Backend, LoadOptions, available, load
from asrd.backends.registry import fitting
from asrd.core.errors import AsrdError, BackendError, MissingExtraError, ModelError, UsageError
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory


def test_the_bundled_backends_are_ready() -> None:
    states = {status.name: status for status in available()}
    for name in ("torch", "fp16", "int8", "kserve"):
        assert states[name].problem == ""
        assert states[name].distribution.startswith("asrd ")


def test_an_unknown_name_is_wrong_usage_and_lists_the_others(base_model: ModelDirectory) -> None:
    with pytest.raises(UsageError, match=r"^no backend is called 'warp'; there are: fp16, int8, kserve, torch$"):
        load("warp", base_model)


def test_the_backend_that_fits_is_the_fastest_that_a_model_has(
    bundled: ModelDirectory, base_model: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (fitting(bundled), fitting(base_model)) == ("int8", "fp16")
    without = shutil.ignore_patterns("openvino")
    checkpoint = ModelDirectory.open(Path(shutil.copytree(base_model.path, tmp_path / "model", ignore=without)))
    assert fitting(checkpoint) == "torch"
    monkeypatch.setattr("asrd.backends.pytorch.TorchBackend.requires", ("no_such_torch",))
    with pytest.raises(ModelError, match=r"has no FP16 model at .*; build it with 'asrd model convert"):
        load(fitting(checkpoint), checkpoint)


def test_a_missing_extra_names_the_command_that_installs_it(
    base_model: ModelDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrd.backends.pytorch.TorchBackend.requires", ("no_such_torch",))
    with pytest.raises(MissingExtraError, match=r"backend 'torch' needs .* pip install '\.\[torch\]'"):
        load("torch", base_model)
    assert "'.[torch]'" in next(status.problem for status in available() if status.name == "torch")


@pytest.mark.parametrize(
    ("backend", "options", "error", "says"),
    [
        ("torch", LoadOptions(device="warp"), UsageError, "PyTorch cannot use device 'warp'"),
        ("torch", LoadOptions(arithmetic="bf16"), UsageError, "has no bf16 arithmetic; it has f32"),
        ("fp16", LoadOptions(device="WARP"), UsageError, "OpenVINO has no device 'WARP' here; it has: .*CPU.*, AUTO"),
        ("fp16", LoadOptions(device="AUTO:WARP"), UsageError, "OpenVINO has no device 'AUTO:WARP' here"),
        ("fp16", LoadOptions(arithmetic="f7"), UsageError, "has no f7 arithmetic; it has f32 and bf16"),
        ("fp16", LoadOptions(device="HETERO:CPU,NPU"), UsageError, "OpenVINO has no device"),
        ("int8", LoadOptions(), ModelError, "has no INT8 model at .*; use --backend fp16, or build it with"),
    ],
)
def test_what_cannot_be_loaded(
    base_model: ModelDirectory, backend: str, options: LoadOptions, error: type[AsrdError], says: str
) -> None:
    with pytest.raises(error, match=says) as raised:
        load(backend, base_model, options)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "damage", [lambda ir: ir.write_text("<net/>", encoding="utf-8"), lambda ir: ir.with_suffix(".bin").write_bytes(b"")]
)
def test_a_damaged_openvino_file(base_model: ModelDirectory, tmp_path: Path, damage) -> None:
    model = ModelDirectory.open(Path(shutil.copytree(base_model.path, tmp_path / "model")))
    damage(model.openvino("fp16"))
    with pytest.raises(BackendError, match="OpenVINO cannot compile") as raised:
        load("fp16", model)
    assert "\n" not in str(raised.value)


def test_a_plugins_own_exception_becomes_one_line(base_model: ModelDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Backend:
        raise KeyError("no such kernel")

    monkeypatch.setattr("asrd.backends.pytorch.TorchBackend.load", fail)
    with pytest.raises(BackendError, match="backend 'torch' cannot load random-base: 'no such kernel'"):
        load("torch", base_model)


def test_an_answer_of_another_shape_is_an_error(
    base_model: ModelDirectory, babble: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = load("torch", base_model)
    monkeypatch.setattr(backend, "infer", lambda batch: type(backend).infer(backend, batch)[:, 1:])
    with pytest.raises(BackendError, match=r"answered with shape \(1, 94, 32\) instead of \(1, 95, 32\)"):
        backend.logits(babble[None])


def test_a_runtime_that_fails_is_an_error(base_model: ModelDirectory, babble: FloatArray) -> None:
    backend = load("fp16", base_model)
    backend.close()
    with pytest.raises(BackendError, match=r"^Fp16Backend failed on \(1, 30480\): "):
        backend.logits(babble[None])


def test_compiled_models_are_kept_where_the_user_keeps_caches(
    base_model: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    load("fp16", base_model, LoadOptions(cache=False))
    assert list(tmp_path.iterdir()) == []
    load("fp16", base_model)
    assert list((tmp_path / "asrd" / "openvino").iterdir())


def test_a_cache_that_cannot_be_written_is_done_without(
    base_model: ModelDirectory, babble: FloatArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asrd").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert load("fp16", base_model).logits(babble[None]).shape == (1, 95, 32)


def test_arithmetic_is_single_precision_unless_asked(base_model: ModelDirectory) -> None:
    """The default is single precision, so that one recording gives one text on every CPU."""
    assert load("fp16", base_model).arithmetic == "f32"
    assert load("torch", base_model, LoadOptions(threads=1)).arithmetic == "f32"


@pytest.mark.parametrize("device", ["AUTO", "HETERO:CPU"])
def test_a_device_that_uses_others_answers_as_they_do(
    base_model: ModelDirectory, babble: FloatArray, device: str
) -> None:
    plain, virtual = (load("fp16", base_model, LoadOptions(device=name)) for name in ("CPU", device))
    assert virtual.arithmetic == "f32"
    np.testing.assert_allclose(virtual.logits(babble[None]), plain.logits(babble[None]), atol=1e-3)


GROWTH = """
import sys
from pathlib import Path
import numpy as np
from asrd.backends import LoadOptions, load, openvino
from asrd.models import ModelDirectory

def grown():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

openvino.SHAPES_REMEMBERED = int(sys.argv[3])
backend = load("fp16", ModelDirectory.open(Path(sys.argv[1])), LoadOptions(device=sys.argv[2], threads=1, cache=False))
sizes = []
for length in range(2000, 10_000, 80):
    backend.logits(np.zeros((1, length), np.float32))
    sizes.append(grown())
print(sizes[-1] - sizes[9])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("device", ["CPU", "AUTO", "HETERO:CPU"])
def test_kernels_of_lengths_met_before_are_forgotten_wherever_the_cpu_computes(
    base_model: ModelDirectory, device: str
) -> None:
    def growth(remembered: int) -> int:
        command = [sys.executable, "-c", GROWTH, str(base_model.path), device, str(remembered)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert growth(1) < 0.9 * growth(5000)


@pytest.mark.parametrize("error", [SystemExit("bye"), asyncio.CancelledError("bye"), GeneratorExit("bye")])
@pytest.mark.parametrize("step", ["check", "load", "infer"])
def test_nothing_a_plugin_raises_leaves_its_boundary(
    base_model: ModelDirectory, babble: FloatArray, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    def leave(*_: object) -> None:
        raise error

    monkeypatch.setattr(f"asrd.backends.pytorch.TorchBackend.{step}", leave)
    with pytest.raises(BackendError, match="bye"):
        load("torch", base_model).logits(babble[None])

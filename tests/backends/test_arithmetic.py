"""bf16 is taken where it is asked for, or where the model is proved with it, and only where the CPU has it."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asrd.backends import LoadOptions, load
from asrd.core import cpu
from asrd.core.errors import UsageError
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory, manifest

needs_bf16 = pytest.mark.skipif(not cpu.has_bf16(), reason="this processor has no bf16")


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this processor count as one that is fast in bf16."""
    monkeypatch.setattr(cpu, "is_fast_in_bf16", lambda: True)


def _proved(tiny: ModelDirectory, path: Path, arithmetic: str, outcome: str) -> ModelDirectory:
    """Copy the small model, with a manifest that proves it so."""
    shutil.copytree(tiny.path, path)
    facts: dict[str, Any] = manifest.read(path)["quantization"]
    facts["recipe"]["arithmetic"] = arithmetic
    facts["proof"] = {"outcome": outcome}
    manifest.write(path, quantization=facts)
    return ModelDirectory.open(path)


@needs_bf16
@pytest.mark.parametrize(
    ("proof", "asked", "taken"),
    [
        (("bf16", "holds"), "", "bf16"),
        (("bf16", "holds"), "f32", "f32"),
        (("bf16", "cannot tell"), "", "f32"),
        (("f32", "holds"), "", "f32"),
        (("f32", "holds"), "bf16", "bf16"),
    ],
)
@pytest.mark.usefixtures("fast")
def test_int8(tiny: ModelDirectory, tmp_path: Path, proof: tuple[str, str], asked: str, taken: str) -> None:
    model = _proved(tiny, tmp_path / "model", *proof)
    backend = load("int8", model, LoadOptions(cache=False, arithmetic=asked))
    assert backend.arithmetic == f"int8+{taken}"
    other = load("int8", model, LoadOptions(cache=False, arithmetic="f32"))
    window = np.random.default_rng(1).standard_normal((1, MAX_WINDOW)).astype(np.float32)
    assert np.array_equal(backend.logits(window), other.logits(window)) is (taken == "f32")


@needs_bf16
def test_fp16_takes_it_only_when_asked(tiny: ModelDirectory, tmp_path: Path) -> None:
    model = _proved(tiny, tmp_path / "model", "bf16", "holds")
    assert load("fp16", model, LoadOptions(cache=False)).arithmetic == "f32"
    assert load("fp16", model, LoadOptions(cache=False, arithmetic="bf16")).arithmetic == "bf16"


def test_a_cpu_that_is_slow_in_it_takes_it_only_when_asked(
    tiny: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "flags", lambda: ["avx512_vnni", "avx512_bf16"])
    model = _proved(tiny, tmp_path / "model", "bf16", "holds")
    assert load("int8", model, LoadOptions(cache=False)).arithmetic == "int8+f32"


def test_a_cpu_without_it(tiny: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "flags", lambda: ["avx2"])
    model = _proved(tiny, tmp_path / "model", "bf16", "holds")
    assert load("int8", model, LoadOptions(cache=False)).arithmetic == "int8+f32"
    with pytest.raises(UsageError, match="this processor has no bf16 arithmetic; choose f32"):
        load("int8", model, LoadOptions(arithmetic="bf16"))

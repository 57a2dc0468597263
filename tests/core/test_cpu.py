"""The flags of a processor are read from what it reports."""

from pathlib import Path

import pytest

from asrd.core import cpu


def test_the_flags_are_those_that_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "cpuinfo")
    assert cpu.flags() == []
    cpu.CPUINFO.write_text("processor : 0\nflags : fpu sse2 avx2 avx512_vnni\nbugs : amx_int8\n", encoding="utf-8")
    assert cpu.flags() == ["avx2", "avx512_vnni"]


def test_the_name_is_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "cpuinfo")
    assert cpu.name() == "unknown"
    cpu.CPUINFO.write_text("processor : 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 9354: fast\n", encoding="utf-8")
    assert cpu.name() == "AMD EPYC 9354: fast"

"""Compiled models are cached, but not forever."""

import os
from pathlib import Path

import pytest

from asrd.backends import cache


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Four models, each of which compiles to a megabyte."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paths = [tmp_path / f"{name}.xml" for name in "abcd"]
    for age, path in enumerate(paths):
        path.write_text(path.name, encoding="utf-8")
        kept = cache.compiled(path)
        assert kept
        (kept / "x.blob").write_bytes(bytes(1_000_000))
        os.utime(kept, (1000 - age, 1000 - age))
    return paths


def test_what_was_used_longest_ago_goes_first(models: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 3_100_000)
    kept = cache.compiled(models[3])  # the oldest, but it is the one in use
    assert kept
    assert (kept / "x.blob").exists()
    root = kept.parent
    assert sorted(path.name for path in root.glob("*/x.blob")) == ["x.blob"] * 3
    assert not (root / cache.compiled(models[2]).name / "x.blob").exists()  # type: ignore[union-attr]


def test_nothing_goes_while_there_is_room(models: list[Path]) -> None:
    first = cache.compiled(models[0])
    assert first
    assert len(list(first.parent.glob("*/x.blob"))) == 4
    assert cache.compiled(models[0]) == first

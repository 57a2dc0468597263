"""Text files are read and written as UTF-8, whatever the locale of the process is."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [*(path.parent for path in ROOT.glob("[a-z]*/__init__.py")), ROOT / "tests", ROOT / "benchmarks"]
SOURCES = sorted(path for folder in [*FOLDERS, ROOT / "examples"] for path in folder.rglob("*.py"))


def faults(source: str) -> list[int]:
    """Return the lines on which a whole text file is read or written in the locale's encoding."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("read_text", "write_text")
        and "encoding" not in [one.arg for one in node.keywords]
    ]


def test_every_text_file_has_an_encoding() -> None:
    """The linter knows `open` and paths whose type it can tell; this finds the others."""
    found = {str(path.relative_to(ROOT)): faults(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert len(found) > 400
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("source", ["path.read_text()", "path.write_text(words)"])
def test_this_test_would_notice(source: str) -> None:
    assert faults(source)


def test_what_is_safe_passes() -> None:
    assert faults("path.read_text(encoding='utf-8')\npath.write_text(words, encoding='utf-8')") == []

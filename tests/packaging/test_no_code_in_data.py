"""No file that asrd reads can make it run code: nothing is unpickled."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [path.parent.name for path in ROOT.glob("[a-z]*/__init__.py") if path.parent.name != "tests"]
SOURCES = sorted(path for folder in [*FOLDERS, "benchmarks", "examples"] for path in (ROOT / folder).rglob("*.py"))
MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}


def faults(source: str) -> list[str]:
    """Return what in a source could run code that data holds."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"{node.lineno}: {name}" for name in names if name.split(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        given = {one.arg: ast.unparse(one.value) for one in node.keywords}
        name = ast.unparse(node.func)
        if name == "torch.load" and given.get("weights_only") != "True":
            found.append(f"{node.lineno}: torch.load without weights_only=True")
        if given.get("allow_pickle", "False") != "False":
            found.append(f"{node.lineno}: allow_pickle")
        if name in ("pandas.read_pickle", "pd.read_pickle") or given.get("trust_remote_code", "False") != "False":
            found.append(f"{node.lineno}: {name}")
    return found


def test_nothing_is_unpickled() -> None:
    found = {str(path.relative_to(ROOT)): faults(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert len(found) > 200
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from dill import loads",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "numpy.load(path, allow_pickle=True)",
        "load_dataset(name, trust_remote_code=True)",
    ],
)
def test_this_test_would_notice(source: str) -> None:
    assert faults(source)


def test_what_is_safe_passes() -> None:
    assert faults("torch.load(path, weights_only=True)\nnumpy.load(path)") == []

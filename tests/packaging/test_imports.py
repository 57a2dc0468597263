"""Imports point one way, and nothing heavy is loaded before it is needed."""

import ast
import graphlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {
    "core": set(),
    "models": {"core"},
    "training": {"core", "models", "backends", "daemon", "quant"},
    "backends": {"core", "models"},
    "clients": {"core"},
    "daemon": {"core", "models", "backends"},
    "gateway": {"core", "models", "backends", "clients", "daemon"},
    "quant": {"core", "models", "backends", "daemon"},
    "cli": {"core", "models", "training", "backends", "clients", "daemon", "gateway", "quant"},
}
"""Layers that each layer may import, besides itself. A folder in another's is a layer of its own."""

HEAVY = (
    "aiomqtt",
    "starlette",
    "uvicorn",
    "wyoming",
    "zeroconf",
    "ctc_beam_decoder",
    "torch",
    "transformers",
    "nncf",
    "openvino",
    "sounddevice",
    "huggingface_hub",
    "datasets",
)

LIGHT = {
    "asrd.core": ("asrd.daemon", "asrd.clients", "asrd.models", "zmq", "click"),
    "asrd.clients": ("asrd.daemon", "asrd.models", "asrd.backends", "click", "soundfile"),
    "asrd.models": ("asrd.daemon", "asrd.backends"),
    "asrd.backends": ("asrd.daemon", "asrd.quant"),
    "asrd.daemon": ("asrd.quant", "asrd.cli", "asrd.clients", "asrd.gateway"),
    "asrd.gateway.options": ("asrd.daemon", "asrd.cli"),
    "asrd.quant": ("asrd.cli",),
    "asrd.cli.main": ("asrd.daemon", "asrd.backends", "cloup", "rich"),
    "asrd.cli.entry": ("asrd.core", "click"),
}
"""Modules that importing each module must not load, besides heavy ones."""


def imported(path: Path) -> Iterator[str]:
    """Return all that a module imports from asrd, anywhere in it, down to names: "asrd.core.units.Samples"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("asrd."))


def layer(module: str) -> str:
    """Return the layer of a module's name: "asrd.core.units" is in "core"."""
    folders = module.split(".")[1:]
    return next(name for name in ("/".join(folders[:2]), folders[0]) if name in MAY_IMPORT)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    modules = sorted((ROOT / package).rglob("*.py"))
    assert modules
    others = [ROOT / name for name in MAY_IMPORT if name.startswith(f"{package}/")]
    wrong = {
        str(path.relative_to(ROOT)): strays
        for path in modules
        if not any(path.is_relative_to(other) for other in others)
        and (strays := set(map(layer, imported(path))) - MAY_IMPORT[package] - {package})
    }
    assert wrong == {}


def room(name: str) -> str:
    """Return the folder, below the package's own, of a module or a name in it, or the module where it is in none."""
    folder, *inner = name.split(".")[1:]
    place = ROOT / folder
    while inner and (place / inner[0]).is_dir():
        place /= inner.pop(0)
    own = place.relative_to(ROOT / folder).as_posix()
    is_module = own == "." and inner and (place / f"{inner[0]}.py").is_file()
    return inner[0] if is_module else own


def rooms(package: str) -> dict[str, set[str]]:
    """Return, for each room of a package, the rooms that its modules import."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        here = room(".".join(["asrd", *path.relative_to(ROOT).with_suffix("").parts]))
        found.setdefault(here, set()).update(room(name) for name in imported(path) if layer(name) == package)
    return {here: others - {here, "."} for here, others in found.items()}


@pytest.mark.parametrize("package", ["daemon", "quant"])
def test_rooms_of_a_package_import_one_way(package: str) -> None:
    """Raises CycleError, with the cycle, where they do not."""
    order = list(graphlib.TopologicalSorter(rooms(package)).static_order())
    assert len(order) > 10


def loaded_by(code: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter has loaded after running `code`."""
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", LIGHT)
def test_importing_a_package_is_light(module: str) -> None:
    loaded = loaded_by(f"import {module}")
    assert module in loaded
    assert loaded.isdisjoint(HEAVY + LIGHT[module])


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["backend", "list", "--json"]])
def test_a_quick_command_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"from asrd.cli.main import asrd\nasrd.main({arguments!r}, standalone_mode=False)"
    assert loaded_by(code).isdisjoint(HEAVY)


def test_this_test_would_notice() -> None:
    assert "huggingface_hub" in loaded_by("import huggingface_hub")

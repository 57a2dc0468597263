"""The architecture page names modules and folders that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MODULES = [
    str(path.relative_to(ROOT))
    for top in ROOT.glob("[a-z]*/")
    if top.name not in {"build", "src"}
    for path in top.rglob("*.py")
]


def test_every_module_it_names_exists() -> None:
    """The page names a module by its path, or by its name alone."""
    named = sorted(set(re.findall(r"`([\w/]+\.py)`", PAGE)))
    assert len(named) > 50
    assert [name for name in named if not any(f"/{module}".endswith(f"/{name}") for module in MODULES)] == []


def test_it_names_every_package() -> None:
    """The page names a folder by its path, by its name alone, or with a module in it."""
    named = set(re.findall(r"`([\w/]+)/(?:\w+\.py)?`", PAGE))
    packages = {module.removesuffix("/__init__.py") for module in MODULES if module.endswith("__init__.py")}
    ours = sorted(package for package in packages if not package.startswith("tests/"))
    assert [package for package in ours if not {package, package.rpartition("/")[2]} & named] == []

"""The built distributions match the tree: nothing missing, nothing stale."""

import configparser
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = ROOT / "src" / "asrd"
TOP = sorted(path.name for path in SOURCES.iterdir() if path.is_symlink())


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, because building leaves files behind."""
    copy = tmp_path_factory.mktemp("build") / "asrd"
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    for folder in ("src", *TOP):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore, symlinks=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def built(tree: Path) -> Path:
    """The folders of an sdist, and of the wheel built from it, as on an index."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tree.parent / "dist"), str(tree)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return tree.parent / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def files(folder: Path, name: str) -> dict[str, Path]:
    """Return every file of a package's folder, by its installed name."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}": path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
    }


def expected() -> dict[str, Path]:
    """Return every file to be installed, by its installed name."""
    own = {f"asrd/{path.name}": path for path in SOURCES.iterdir() if path.is_file()}
    return own | {name: path for top in TOP for name, path in files(ROOT / top, f"asrd/{top}").items()}


def test_every_package_has_a_link() -> None:
    """A folder without a link cannot be imported."""
    folders = {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")} - {"tests"}
    assert folders == set(TOP)
    assert {path.resolve() for path in SOURCES.iterdir() if path.is_symlink()} == {ROOT / name for name in TOP}


def test_every_folder_with_modules_is_a_package() -> None:
    """A folder without `__init__.py` imports in the checkout but is missing from the wheel."""
    folders = {path.parent for top in TOP for path in (ROOT / top).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_the_wheel_holds_the_tree(wheel: zipfile.ZipFile) -> None:
    assert {name for name in wheel.namelist() if name.startswith("asrd/")} == set(expected())
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"asrd"}


def test_the_files_are_the_same(wheel: zipfile.ZipFile) -> None:
    changed = [name for name, path in expected().items() if wheel.read(name) != path.read_bytes()]
    assert changed == []


def test_the_wheel_is_typed_and_has_its_entry_points(wheel: zipfile.ZipFile) -> None:
    assert "asrd/py.typed" in wheel.namelist()
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    points = configparser.ConfigParser()
    points.read_string(wheel.read(name).decode())
    assert dict(points["console_scripts"]) == PROJECT["project"]["scripts"]
    assert dict(points["asrd.backends"]) == PROJECT["project"]["entry-points"]["asrd.backends"]


def test_the_sdist_holds_the_tree(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {f"src/{name}" for name in expected()} <= names


def test_an_editable_install_is_a_path_that_type_checkers_and_editors_read(tree: Path, tmp_path: Path) -> None:
    """They do not run the import hooks that setuptools makes for other layouts."""
    code = f"from setuptools.build_meta import build_editable; build_editable({str(tmp_path)!r})"
    result = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = tmp_path.glob("*.whl")
    archive = zipfile.ZipFile(path)
    (name,) = (name for name in archive.namelist() if "dist-info" not in name)
    assert name.endswith(".pth")
    folder = Path(archive.read(name).decode().strip())
    assert folder == tree / "src"
    found = {name for top in TOP for name in files(folder / "asrd" / top, f"asrd/{top}")}
    assert found == {name for name in expected() if name.count("/") > 1}


def test_the_core_install_needs_no_torch(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    lines = wheel.read(name).decode().splitlines()
    needed = [line for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert len(needed) == len(PROJECT["project"]["dependencies"])
    assert not [line for line in needed if line.split()[1].startswith(("torch", "transformers", "nncf"))]

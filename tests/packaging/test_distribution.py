"""What is built is what is in the tree: nothing missing, nothing stale."""

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
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]
TOP = sorted({folder.split("/")[0] for folder in SETUPTOOLS["package-dir"].values()})


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built from: building leaves debris behind."""
    copy = tmp_path_factory.mktemp("build") / "asrd"
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    for folder in TOP:
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def built(tree: Path) -> Path:
    """The folder of an sdist, and of the wheel built from that sdist, as an index would get them."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tree.parent / "dist"), str(tree)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return tree.parent / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def expected() -> dict[str, Path]:
    """Every file of the package folders, by what it is called when installed."""
    return {
        f"asrd/{path.relative_to(ROOT).as_posix()}".replace("asrd/cli/asrd/", "asrd/"): path
        for folder in TOP
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT).parts)
    }


def test_every_folder_with_modules_is_a_listed_package() -> None:
    """A package that is not listed imports in the checkout but is missing from the wheel."""
    folders = {path.parent for folder in TOP for path in (ROOT / folder).rglob("*.py")}
    assert {folder.relative_to(ROOT).as_posix() for folder in folders} == set(SETUPTOOLS["package-dir"].values())
    assert set(SETUPTOOLS["packages"]) == set(SETUPTOOLS["package-dir"])


def test_the_wheel_holds_the_tree(wheel: zipfile.ZipFile) -> None:
    assert {name for name in wheel.namelist() if name.startswith("asrd/")} == set(expected())
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"asrd"}


def test_the_files_are_the_same(wheel: zipfile.ZipFile) -> None:
    changed = [name for name, path in expected().items() if wheel.read(name) != path.read_bytes()]
    assert changed == []


def test_the_wheel_is_typed_and_has_its_entry_points(wheel: zipfile.ZipFile) -> None:
    assert {f"asrd/{folder}/py.typed" for folder in TOP} <= set(wheel.namelist())
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    points = configparser.ConfigParser()
    points.read_string(wheel.read(name).decode())
    assert dict(points["console_scripts"]) == PROJECT["project"]["scripts"]
    assert dict(points["asrd.backends"]) == PROJECT["project"]["entry-points"]["asrd.backends"]


def test_the_sdist_holds_the_tree(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {path.relative_to(ROOT).as_posix() for path in expected().values()} <= names


def test_the_core_install_needs_no_torch(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    lines = wheel.read(name).decode().splitlines()
    needed = [line for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert len(needed) == len(PROJECT["project"]["dependencies"])
    assert not [line for line in needed if line.split()[1].startswith(("torch", "transformers", "nncf"))]

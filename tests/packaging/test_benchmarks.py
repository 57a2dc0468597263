"""Benchmarks keep up with the interfaces they implement."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from asrd.backends import Backend
from asrd.daemon.sources.base import Source

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_a_benchmark_can_be_imported_and_its_classes_created(name: str) -> None:
    classes = [one for one in vars(import_module(name)).values() if inspect.isclass(one)]
    own = [one for one in classes if one.__module__ == name and issubclass(one, Backend | Source)]
    assert [one.__name__ for one in own if inspect.isabstract(one)] == []

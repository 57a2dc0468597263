"""Models and audio that tests of all parts share."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import settings

from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from asrd.models.store import DEFAULT_MODEL, resolve
from tests.checkpoints import quantized, random_model

settings.register_profile("asrd", derandomize=True, database=None, deadline=None)
settings.load_profile("asrd")

if "PYTEST_XDIST_WORKER" in os.environ:  # parallel workers share the cores
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run files with slow tests first in parallel runs, so that no worker is left with one while others wait."""
    if hasattr(config, "workerinput"):
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session", autouse=True)
def own_directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Use caches, settings, models and sockets of this run alone: nothing of the user's is read or changed."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR"):
            patch.setenv(f"XDG_{kind}", str(tmp_path_factory.mktemp(kind.lower())))
        for name in [name for name in os.environ if name.startswith("ASRD_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What runs tests that are coroutines: asyncio alone, as in the daemon."""
    return "asyncio"


@pytest.fixture(scope="session")
def bundled() -> ModelDirectory:
    """The model that asrd takes where none is named."""
    return resolve(DEFAULT_MODEL)


@pytest.fixture(scope="session")
def tiny() -> ModelDirectory:
    """The small bundled model, for long tests that do not ask how well it recognises."""
    return resolve("asrd-tiny-en")


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> ModelDirectory:
    """A small random model of the base-960h kind: group norm, never given a mask."""
    return random_model(tmp_path_factory.mktemp("models") / "random-base", "base")


@pytest.fixture(scope="session")
def lv60_model(tmp_path_factory: pytest.TempPathFactory) -> ModelDirectory:
    """A small random model of the lv60 kind: layer norm, takes a mask."""
    return random_model(tmp_path_factory.mktemp("models") / "random-lv60", "lv60")


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModelDirectory]:
    """What returns a small random model of a kind, with its FP16 and INT8 models; it is made once."""
    return cache(lambda kind: quantized(tmp_path_factory.mktemp("families") / kind, kind))


@pytest.fixture(scope="session")
def babble() -> FloatArray:
    """One window of speech-like sound: a voice's harmonics under a syllable rhythm, and breath."""
    time = np.arange(MAX_WINDOW) / 16_000
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(5 * time)) / 16_000
    voice = sum(np.sin(pitch * harmonic) / harmonic for harmonic in range(1, 20))
    breath = np.random.default_rng(7).standard_normal(len(time))
    rhythm = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * time)
    return (0.1 * rhythm * voice + 0.01 * breath).astype(np.float32)

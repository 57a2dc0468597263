"""Estimate the time and memory of a run, measured on one utterance."""

import time
from dataclasses import dataclass

from asrd.backends.pytorch import TorchBackend
from asrd.models import ModelDirectory
from asrd.models.checkpoint import load_checkpoint
from asrd.quant.evaluation.measure import text_of
from asrd.quant.recipe import Recipe
from asrd.quant.split import Split

LAYERS_A_BLOCK = 6
REVERTED = 5
"""Groups assumed to be reverted if plain INT8 is not good enough."""

MEMORY_BASE, MEMORY_FACTOR = 1.0e9, 7.5
"""Bytes that the libraries take, and bytes per byte of a 32-bit checkpoint: copies of the network in PyTorch,
OpenVINO and NNCF. Measured on the bundled model and on one of wav2vec2-base's size.
"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Time and memory that a run will take.

    seconds: if plain INT8 is good enough. more: if layers have to go back to floating point. memory: bytes.
    """

    seconds: float
    more: float
    memory: float

    @property
    def text(self) -> str:
        """The estimate in words, shown before the run starts."""
        longer = f", or {_minutes(self.more)} if layers have to go back to floating point,"
        return (
            f"this will take about {_minutes(self.seconds)}{longer if self.more > self.seconds else ''} "
            f"and {self.memory / 2**30:.1f} GiB of memory"
        )


def estimate(model: ModelDirectory, parts: Split, recipe: Recipe) -> Estimate:
    """Time the original on one utterance, and extrapolate."""
    network = load_checkpoint(model)
    backend = TorchBackend(model, network, "cpu")
    clip = parts.test[0]
    text_of(backend, clip)
    began = time.perf_counter()
    text_of(backend, clip)
    heard = time.perf_counter() - began
    parameters = sum(weight.numel() for weight in network.parameters())
    learn = 3 * min(recipe.windows, 2 * len(parts.calibration)) * heard / 2
    prove = 2 * len(parts.test) * heard
    steer = 0 if recipe.fast else 2 * len(parts.validation) * heard
    groups = LAYERS_A_BLOCK * network.config.num_hidden_layers
    rank = groups * (min(recipe.ranking_subset, len(parts.validation)) * heard + 1) + REVERTED * steer / 2
    seconds = 30 + learn + prove + steer
    return Estimate(seconds, seconds + (0 if recipe.fast else rank), MEMORY_BASE + MEMORY_FACTOR * 4 * parameters)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"

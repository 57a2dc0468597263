"""What is asked of the recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asrd.models.recipe.plan import Plan


@dataclass(frozen=True, slots=True)
class Order:
    """speech: data sets to learn from, and tests: to measure on, by name, as `asrd.quant.data.dataset` takes them.
    voices: hours of each synthetic voice. work: where everything is kept. plan: of the training.
    """

    work: Path
    plan: Plan
    speech: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, str] = field(default_factory=dict)
    voices: Mapping[str, float] = field(default_factory=dict)

    @property
    def clips(self) -> Path:
        """The folder of shards."""
        return self.work / "clips"

    @property
    def saved(self) -> Path:
        """What an interrupted training goes on from."""
        return self.work / "training.pt"

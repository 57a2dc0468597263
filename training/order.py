"""What is asked of the recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asrd.training.plan import Plan


@dataclass(frozen=True, slots=True)
class Order:
    """speech: data sets to learn from, and tests: to measure on, by name, as `asrd.quant.data.dataset` takes them.
    voices: hours of each synthetic voice. work: where everything is kept. plan: of the training. licences: terms of the
    speech, by its name, for the card. unseen_speakers: whether nobody is learnt from who speaks in a test set.
    """

    work: Path
    plan: Plan
    speech: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, str] = field(default_factory=dict)
    voices: Mapping[str, float] = field(default_factory=dict)
    licences: Mapping[str, str] = field(default_factory=dict)
    unseen_speakers: bool = False

    @property
    def clips(self) -> Path:
        """The folder of shards."""
        return self.work / "clips"

    @property
    def saved(self) -> Path:
        """What an interrupted training goes on from."""
        return self.work / "training.pt"

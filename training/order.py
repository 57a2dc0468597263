"""The order for a training run: its speech, its plan and its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asrd.training.plan import Plan


@dataclass(frozen=True, slots=True)
class Order:
    """The data, options and folder of a run. Data sets are named as `asrd.quant.data.dataset` takes them."""

    work: Path
    """Folder where everything is kept."""
    plan: Plan
    """Plan of the training."""
    speech: Mapping[str, str] = field(default_factory=dict)
    """Data sets to learn from, by name."""
    tests: Mapping[str, str] = field(default_factory=dict)
    """Data sets to measure on, by name."""
    voices: Mapping[str, float] = field(default_factory=dict)
    """Hours of each synthetic voice."""
    licences: Mapping[str, str] = field(default_factory=dict)
    """Terms of the speech, by its name, for the card."""
    unseen_speakers: bool = False
    """True where speakers of the test sets are left out of training."""

    @property
    def clips(self) -> Path:
        """The folder of shards."""
        return self.work / "clips"

    @property
    def saved(self) -> Path:
        """The file that an interrupted training resumes from."""
        return self.work / "training.pt"

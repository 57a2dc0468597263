"""How a run goes: how fast it learns, from what, and what counts, over its course from 0 to 1."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Plan:
    """minutes: of training; or `steps` of it, where that is not 0: a run is then the same to the bit on one machine.
    shares: how often each group of shards is heard. batch: seconds of speech a step. start: the model it goes on
    from, or "" for a new one.
    """

    minutes: float = 75.0
    steps: int = 0
    peak: float = 1e-3
    batch: float = 60.0
    seed: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    start: str = ""

    def rate(self, progress: float, step: int) -> float:
        """The learning rate: 200 steps of warm-up, level for a fifth of the time, and then straight down to nothing."""
        return self.peak * min(1.0, (step + 1) / 200) * min(1.0, max(0.001, (1 - progress) / 0.8))

    def longest(self, progress: float) -> float:
        """The longest clip, in seconds: short ones are easier."""
        return 2.5 if progress < 0.05 and not self.start else 5.0 if progress < 0.6 else 7.0

    def total(self, progress: float) -> float:
        """Seconds of speech a step: more steps at first, surer ones later."""
        return self.batch * (0.7 if progress < 0.5 else 1.0)

    def phone_weight(self, progress: float) -> float:
        """Of the phone loss. It labels every frame, which CTC does not; in the end letters are what counts."""
        return float(np.interp(progress, [0.1, 0.75], [1.0, 0.0]))

    def letter_weight(self, progress: float) -> float:
        """Of the CTC loss, which at first only says that blanks are frequent."""
        return 1.0 if self.start else float(np.interp(progress, [0.0, 0.02, 0.06], [0.1, 0.3, 1.0]))

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

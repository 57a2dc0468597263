"""The plan of a training run, over its progress from 0 to 1: what is heard, and the learning rates."""

from dataclasses import asdict, dataclass, field
from typing import Any

_WARM_UP = 150
"""Steps until the learning rates reach their full value."""

_LEAST = 0.005
"""Share of a learning rate that is left at the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Options of a training run."""

    minutes: float = 100.0
    """Minutes of training, unless `steps` is set."""
    steps: int = 0
    """Steps of training, where not 0: a run is then the same to the bit on one machine."""
    whole: float = 0.18
    """Share of the run in which whole utterances are heard, and the new head learns to spell."""
    blocks: float = 2e-4
    """Learning rate of the transformer blocks."""
    new_head: float = 3e-3
    """Learning rate of the head while whole utterances are heard."""
    head: float = 1e-3
    """Learning rate of the head after that."""
    level: float = 0.4
    """Share of the rest of the run in which the rates stay level; then they fall linearly to almost nothing."""
    batch: float = 72.0
    """Seconds of speech per step."""
    dropout: float = 0.0
    """Dropout rate of the blocks."""
    consistency: float = 0.0
    """Weight of `loss.apart`; where it is not 0, every part is heard twice, with other masks."""
    seed: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    """Share of each data set and voice in what is heard."""
    init: str = "whisper-tiny.en"
    """Whisper encoder that the blocks come from, as `whisper.load` takes it."""
    start: str = ""
    """Model that training continues from instead, or ""."""

    @property
    def turn(self) -> float:
        """Progress at which windows and splices replace whole utterances: 0 where the model can spell already."""
        return 0.0 if self.start else self.whole

    def rates(self, progress: float, step: int) -> tuple[float, float]:
        """Return the rates of the blocks and of the head: level at first, then falling linearly to almost nothing."""
        warm = min(1.0, (step + 1) / _WARM_UP)
        if progress < self.turn:
            return warm * self.blocks, warm * self.new_head
        left = warm * min(1.0, max(_LEAST, (1 - progress) / ((1 - self.turn) * (1 - self.level))))
        return left * self.blocks, left * self.head

    def plain(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it."""
        return asdict(self)

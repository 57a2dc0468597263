"""How a run goes, over its course from 0 to 1: what is heard, and how fast it is learnt from."""

from dataclasses import asdict, dataclass, field
from typing import Any

_WARM_UP = 150
"""Steps until the rates are what they should be."""

_LEAST = 0.005
"""The share of a rate that is left in the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """minutes: of training; or `steps` of it, where that is not 0: a run is then the same to the bit on one machine.
    whole: the share of them in which whole utterances are heard, and the new head learns to spell. blocks: the rate of
    the transformer blocks. new_head, head: that of the head, in that share and after it. level: the share of what comes
    after it in which the rates stay level; in the rest they fall straight to nothing. batch: seconds of speech in a
    step. dropout: of the blocks. consistency: the weight of `loss.apart`; where it is not 0, every part is heard twice,
    with other masks. shares: how often each data set and voice is heard. init: the Whisper encoder that the blocks come
    from, as `whisper.load` takes it. start: the model it goes on from instead, or "".
    """

    minutes: float = 100.0
    steps: int = 0
    whole: float = 0.18
    blocks: float = 2e-4
    new_head: float = 3e-3
    head: float = 1e-3
    level: float = 0.4
    batch: float = 72.0
    dropout: float = 0.0
    consistency: float = 0.0
    seed: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    init: str = "whisper-tiny.en"
    start: str = ""

    @property
    def turn(self) -> float:
        """When windows and splices take the place of whole utterances: at once, where the model can spell already."""
        return 0.0 if self.start else self.whole

    def rates(self, progress: float, step: int) -> tuple[float, float]:
        """Of the blocks and of the head: level at first, and straight down to nothing in the end."""
        warm = min(1.0, (step + 1) / _WARM_UP)
        if progress < self.turn:
            return warm * self.blocks, warm * self.new_head
        left = warm * min(1.0, max(_LEAST, (1 - progress) / ((1 - self.turn) * (1 - self.level))))
        return left * self.blocks, left * self.head

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

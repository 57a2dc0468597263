"""The measurement that proves a model, as the journal of a run keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from asrd.quant.data import Clip
from asrd.quant.evaluation.conditions import Conditions
from asrd.quant.evaluation.measure import Measurement
from asrd.quant.evaluation.score import score


@dataclass(frozen=True, slots=True)
class Measured:
    """Backends by name, measured together, and the state of the machine meanwhile."""

    backends: Mapping[str, Measurement]
    conditions: Conditions

    def plain(self) -> dict[str, Any]:
        """Return the measurement as JSON can hold it."""
        conditions = self.conditions
        return {
            "conditions": [conditions.others, conditions.spread, conditions.load],
            "backends": {
                name: {
                    "arithmetic": one.arithmetic,
                    "texts": one.texts,
                    "window_seconds": one.window_seconds,
                    "real_time_factor": one.real_time_factor,
                }
                for name, one in self.backends.items()
            },
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any], clips: Sequence[Clip]) -> Self:
        """Restore what `plain` returned. clips: those that were measured on."""
        references = [clip.text for clip in clips]
        backends = {
            name: Measurement(
                backend=name,
                arithmetic=one["arithmetic"],
                texts=tuple(one["texts"]),
                score=score(references, one["texts"]),
                window_seconds=tuple(one["window_seconds"]),
                real_time_factor=one["real_time_factor"],
            )
            for name, one in plain["backends"].items()
        }
        return cls(backends, Conditions(*plain["conditions"]))

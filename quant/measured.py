"""A measurement of backends, with the state of the machine; the journal of a run keeps the one that proves a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from asrd.backends import Backend
from asrd.quant.data import Clip
from asrd.quant.evaluation.conditions import Conditions, Watch
from asrd.quant.evaluation.measure import Measurement, measure
from asrd.quant.evaluation.score import score


@dataclass(frozen=True, slots=True)
class Measured:
    """Backends by name, measured together, and the state of the machine meanwhile."""

    backends: Mapping[str, Measurement]
    conditions: Conditions

    @classmethod
    def take(
        cls, backends: Mapping[str, Backend], clips: Sequence[Clip], advance: Callable[[], None] = lambda: None
    ) -> Self:
        """Measure, and watch the machine; see `measure`."""
        watch = Watch()
        found = measure(backends, clips, advance)
        return cls(found, watch.conditions(one.window_seconds for one in found.values()))

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

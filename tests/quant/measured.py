"""Measurements without a model, for tests of what uses them."""

from collections.abc import Sequence

from asrd.quant.evaluation.measure import Measurement
from asrd.quant.evaluation.score import score


def measured(
    backend: str, references: Sequence[str], texts: Sequence[str], milliseconds: Sequence[float] = (10.0,)
) -> Measurement:
    """Return what `measure` would return for a backend that heard these texts."""
    found = score(references, texts, resamples=50)
    seconds = tuple(one / 1000 for one in milliseconds)
    return Measurement(backend, "f32", tuple(texts), found, seconds, sum(seconds) / len(seconds))

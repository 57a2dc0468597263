"""Accuracy, speed and size of backends that were measured together: the rows of every table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asrd.core.units import counted
from asrd.models import ModelDirectory
from asrd.quant.evaluation.bootstrap import Rate
from asrd.quant.evaluation.measure import Measurement, exact_match
from asrd.quant.evaluation.score import Score, drop
from asrd.quant.evaluation.speed import Speed, speed


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one backend.

    exact_match: share of clips it heard as the first backend did. size: bytes on disk, 0 if unknown.
    """

    backend: str
    arithmetic: str
    score: Score
    exact_match: float
    speed: Speed
    real_time_factor: float
    size: int

    def plain(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them: rates with the bounds of their 95 % interval, null for an unknown
        time.
        """
        return {
            "arithmetic": self.arithmetic,
            "wer": bounds(self.score.wer),
            "cer": bounds(self.score.cer),
            "words": self.score.words,
            "characters": self.score.characters,
            "exact_match": self.exact_match,
            "window_ms": {name: _known(getattr(self.speed, name)) for name in ("median", "p10", "p90")},
            "times_first": _known(self.speed.times_first),
            "real_time_factor": _known(self.real_time_factor),
            "bytes": self.size,
        }


def figures(measurements: Mapping[str, Measurement], sizes: Mapping[str, int]) -> list[Figures]:
    """Return the figures of each backend, compared with the first."""
    first = next(iter(measurements.values()))
    return [
        Figures(
            backend=name,
            arithmetic=one.arithmetic,
            score=one.score,
            exact_match=exact_match(one, first),
            speed=speed(one, first),
            real_time_factor=one.real_time_factor,
            size=sizes.get(name, 0),
        )
        for name, one in measurements.items()
    ]


def size(model: ModelDirectory, backend: str) -> int:
    """Return the bytes of the files that a bundled backend reads its weights from; 0 for a third party's."""
    if backend == "torch":
        return sum(path.stat().st_size for path in model.path.iterdir() if path.suffix in (".safetensors", ".bin"))
    path = model.openvino(backend)
    return sum(file.stat().st_size for file in (path, path.with_suffix(".bin")) if file.is_file())


def change(name: str, metric: str, points: float) -> str:
    """Say in plain English what a backend does to an error rate, such as "INT8 lowers WER by 0.58 points".

    points: its rate minus the reference's, in points.
    """
    return f"{name} {_change(metric, points)}"


def _change(metric: str, points: float) -> str:
    if math.isnan(points):
        return f"changes {metric} by an unknown amount"
    if not points:
        return f"leaves {metric} as it is"
    verb, size = "raises" if points > 0 else "lowers", f"{abs(points):.2f}"
    return f"{verb} {metric} by {'less than 0.01' if size == '0.00' else size} points"


def verdict(rows: list[Figures], *, timed: bool = True) -> str:
    """Compare the last backend with the first, in one sentence. timed: whether it may quote speed."""
    first, last = rows[0], rows[-1]
    if first is last:
        return (
            f"{first.backend} has {100 * first.score.wer.value:.2f} % WER and {100 * first.score.cer.value:.2f} % CER."
        )
    wer, cer = (100 * drop(metric, first.score, last.score, "absolute") for metric in ("wer", "cer"))
    errors = f"{change(last.backend, 'WER', wer)} and {_change('CER', cer)} on {counted(last.score.words, 'words')}"
    about = []
    if timed and not math.isnan(last.speed.times_first):
        about.append(f"runs {last.speed.times_first:.2f} times as fast as {first.backend}")
    if first.size and last.size:
        about.append(f"has {100 * last.size / first.size:.0f} % of {first.backend}'s size")
    return f"{errors}; it {' and '.join(about)}." if about else f"{errors}."


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def bounds(rate: Rate) -> list[float]:
    """Return a rate and its 95 % interval, as JSON can hold them."""
    return [rate.value, rate.low, rate.high]

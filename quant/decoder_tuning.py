"""Tune decoding: find the weights with which a model and a language model make the fewest errors together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.models import ModelDirectory, manifest
from asrd.models.lm.settings import NAME, DecodingSettings
from asrd.quant.evaluation.decode import Utterances, text
from asrd.quant.evaluation.score import Score, score

GRID: Mapping[str, Sequence[float]] = {
    "unknown_penalty": (2.0, 5.0, 8.0, 12.0, 16.0),
    "blank_penalty": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0),
    "lm_weight": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
    "word_bonus": (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0),
}
"""Values to try for each of `DecodingSettings`."""

CORNERS: Mapping[str, Sequence[float]] = {
    "unknown_penalty": (5.0, 12.0),
    "blank_penalty": (0.0, 1.0),
    "lm_weight": (0.3, 0.6),
    "word_bonus": (0.5, 2.0),
}
"""Values tried in every combination first. The weights work against each other: from a single start, changing one at
a time stops where only two changes at once would gain.
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """A set of weights, and the errors made with them."""

    settings: DecodingSettings
    score: Score


class Tuner:
    """Measures error rates on kept frames, each set of weights once.

    heard: frames of each clip. references: what each clip says. tried: called after each try.
    """

    def __init__(
        self,
        model: ModelDirectory,
        heard: Sequence[Utterances],
        references: Sequence[str],
        tried: Callable[[Tried], None] = lambda _: None,
    ) -> None:
        self._model, self._heard, self._references, self._tell = model, heard, references, tried
        self.tried: dict[DecodingSettings, Tried] = {}

    def greedy(self) -> Score:
        """Measure the errors without a language model."""
        return self._score(DecoderOptions("greedy"))

    def tune(self, lm: str, width: int) -> Tried:
        """Find the best weights by word error rate: from the best of `CORNERS`, change one at a time until none
        gains.

        Raises ModelError if the language model cannot be used.
        """
        start = DecodingSettings(lm)
        corners = [replace(start, **dict(zip(CORNERS, values, strict=True))) for values in product(*CORNERS.values())]  # type: ignore[arg-type]
        best = self._best(self._try(start, width), corners, width)
        while True:
            before = best
            for name, values in GRID.items():
                others = [replace(best.settings, **{name: value}) for value in values]  # type: ignore[arg-type]
                best = self._best(best, others, width)
            if best == before:
                return best

    def _best(self, best: Tried, others: Iterable[DecodingSettings], width: int) -> Tried:
        return min([best, *(self._try(other, width) for other in others)], key=_errors)

    def _try(self, settings: DecodingSettings, width: int) -> Tried:
        if settings not in self.tried:
            options = DecoderOptions("beam", beam_width=width, **asdict(settings))
            self.tried[settings] = Tried(settings, self._score(options))
            self._tell(self.tried[settings])
        return self.tried[settings]

    def _score(self, options: DecoderOptions) -> Score:
        decoding = make_decoding(options, self._model)
        stride = self._model.geometry.stride
        return score(self._references, [text(decoding, clip, stride) for clip in self._heard])


def save(model: ModelDirectory, best: Tried, greedy: Score, **facts: Any) -> Path:
    """Write `decoding.json`, and its hash into the manifest where there is one. Raises ModelError."""
    content = asdict(best.settings) | {
        "wer": round(best.score.wer.value, 4),
        "cer": round(best.score.cer.value, 4),
        "greedy": {"wer": round(greedy.wer.value, 4), "cer": round(greedy.cer.value, 4)},
        **facts,
        "asrd": version("asrd"),
    }
    return manifest.keep(model.path, NAME, content)


def _errors(one: Tried) -> tuple[float, float]:
    return one.score.wer.value, one.score.cer.value

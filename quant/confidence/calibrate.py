"""Steps of `asrd calibrate-confidence`: hear speech, learn from it, judge the result on held-out speech, save it."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asrd.backends import Backend
from asrd.models import ModelDirectory, manifest
from asrd.models.calibration import NAME, UNCALIBRATED, Calibration, Confidence
from asrd.quant.confidence import fit, times
from asrd.quant.confidence.examples import Transcript
from asrd.quant.confidence.reliability import Item, Reliability, reliability

Spoken = Mapping[str, Sequence[Transcript]]
"""Transcripts by the name of their data set."""

SENTENCES = 15
"""Sentences of each of flite's voices, to learn times from and to judge them by."""


TOGETHER = "all"
"""Name for several data sets together."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Reliability of confidences: of plain probabilities before, calibrated after."""

    before: Reliability
    after: Reliability


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement on one data set. right: share of the recognised words that are right."""

    dataset: str
    right: float
    words: Judged
    utterances: Judged


@dataclass(frozen=True, slots=True)
class Times:
    """Errors of word times on voices that they were not learned from: before, and with what was learned."""

    before: times.Errors
    after: times.Errors


def learn_confidence(spoken: Spoken, calibration: Calibration) -> tuple[Calibration, list[Judgement]]:
    """Fit confidences to all speech; each word is judged by a map that was fitted without its speaker.

    Raises UsageError if there is too little speech.
    """
    every = [one for part in spoken.values() for one in part]
    learned = fit.fit([word for one in every for word in one.words])
    judgements = judge_all(spoken, [replace(calibration, words=words) for words in fit.held_out(every)])
    return replace(calibration, words=learned), judgements


def judge_all(spoken: Spoken, calibrations: Sequence[Calibration]) -> list[Judgement]:
    """Judge each data set in which anything was recognised and, if there are several, all together.

    calibrations: one for each transcript, in their order.
    """
    maps = iter(calibrations)
    found = [judge(name, part, [next(maps) for _ in part]) for name, part in spoken.items()]
    if len(spoken) > 1:
        found.append(judge(TOGETHER, [one for part in spoken.values() for one in part], calibrations))
    return [one for one in found if one]


def judge(name: str, spoken: Sequence[Transcript], calibrations: Sequence[Calibration]) -> Judgement | None:
    """Judge a data set, with each transcript's calibration; None if nothing was recognised."""
    if not any(one.words for one in spoken):
        return None
    plain = [UNCALIBRATED] * len(spoken)
    known = [word.right for one in spoken for word in one.words]
    return Judgement(
        dataset=name,
        right=sum(known) / len(known),
        words=Judged(*(reliability(_words(spoken, maps)) for maps in (plain, calibrations))),
        utterances=Judged(*(reliability(_utterances(spoken, maps)) for maps in (plain, calibrations))),
    )


def learn_times(
    backend: Backend, calibration: Calibration, advance: Callable[[], None] = lambda: None
) -> tuple[Calibration, Times]:
    """Fit to two of flite's voices, and measure on two others. Raises FileNotFoundError without flite."""
    stride = backend.model.geometry.stride
    heard, _ = times.sentences(backend, times.FITTED_ON, SENTENCES, 0, advance)
    others, _ = times.sentences(backend, times.MEASURED_ON, SENTENCES, 1, advance)
    learned = times.fit(heard, replace(calibration, before=0, after=0), stride)
    return learned, Times(times.errors(others, UNCALIBRATED), times.errors(others, learned))


def times_can_be_learned(model: ModelDirectory) -> bool:
    """Return whether flite is installed, and the model can spell what it says, which is English."""
    return shutil.which("flite") is not None and times.spells(model.vocabulary)


def save(model: ModelDirectory, calibration: Calibration, judgements: Sequence[Judgement], found: Times | None) -> Path:
    """Write `calibration.json`, and its hash into the manifest where there is one. Raises ModelError."""
    path = model.path / NAME
    facts = content(calibration, judgements, found)
    if not found and path.is_file():
        facts["times_ms"] = json.loads(path.read_text(encoding="utf-8")).get("times_ms")
    return manifest.keep(model.path, NAME, facts)


def content(calibration: Calibration, judgements: Sequence[Judgement], found: Times | None) -> dict[str, Any]:
    """Return the content of `calibration.json`: what was learned, and how good it was measured to be."""
    words = calibration.words if isinstance(calibration.words, Confidence) else None
    return {
        "times": {"before": calibration.before, "after": calibration.after},
        "confidence": {"bias": words.bias, "weights": words.weights._asdict()} if words else None,
        "times_ms": {"before": _rounded(found.before), "after": _rounded(found.after)} if found else None,
        "reliability": {
            one.dataset: {
                "right": round(one.right, 4),
                "words": _errors(one.words),
                "utterances": _errors(one.utterances),
            }
            for one in judgements
        },
        "asrd": version("asrd"),
    }


def _errors(judged: Judged) -> dict[str, Any]:
    found: dict[str, Any] = {"count": judged.after.count}
    if judged.after.chance is not None:
        found["chance"] = round(judged.after.chance, 4)
    for name, one in (("before", judged.before), ("after", judged.after)):
        found[name] = {"ece": round(one.ece, 4), "interval": [round(one.low, 4), round(one.high, 4)]}
    return found


def _rounded(found: times.Errors) -> dict[str, float]:
    return {name: round(value, 1) for name, value in found._asdict().items()}


def _words(spoken: Sequence[Transcript], maps: Sequence[Calibration]) -> list[Item]:
    return [
        Item(calibration.confidence(word.evidence), float(word.right), clip)
        for clip, (one, calibration) in enumerate(zip(spoken, maps, strict=True))
        for word in one.words
    ]


def _utterances(spoken: Sequence[Transcript], maps: Sequence[Calibration]) -> list[Item]:
    """Make an item of each utterance; its confidence is the mean of its words'."""
    return [
        Item(
            sum(calibration.confidence(word.evidence) for word in one.words) / len(one.words),
            sum(word.right for word in one.words) / len(one.words),
            clip,
        )
        for clip, (one, calibration) in enumerate(zip(spoken, maps, strict=True))
        if one.words
    ]

"""Result of a run of `asrd quantize`: a report for people, and an entry in the manifest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from asrd.core import cpu
from asrd.models import ModelDirectory, manifest
from asrd.models.files import writing
from asrd.quant.acceptance import Proof, bound
from asrd.quant.data import fingerprint
from asrd.quant.data.text import NORMALIZATION
from asrd.quant.evaluation.conditions import Conditions
from asrd.quant.evaluation.figures import figures
from asrd.quant.evaluation.measure import Measurement
from asrd.quant.evaluation.report import Report, write_report
from asrd.quant.provenance import built_from, parts, versions
from asrd.quant.recipe import Recipe
from asrd.quant.split import Split
from asrd.quant.workspace import TEXTS


@dataclass(frozen=True, slots=True)
class Layers:
    """Labels of the layers. quantized: in 8 bits. kept: in floating point, as asked. reverted: likewise, to hold the
    bound.
    """

    quantized: tuple[str, ...]
    kept: tuple[str, ...]
    reverted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a run.

    refused: verdicts on this draft, with other bounds or test sets, that kept it from being written. measurements: by
    backend, on the test set. conditions: how busy the machine was meanwhile. steps: accuracy lost on the validation
    set by the original, which is 0, by the quantized model, and after each group that was reverted. sizes: bytes of
    each backend's files. sensitivity: of layers, if it was asked for; see `sensitivity`.
    """

    proof: Proof
    refused: tuple[str, ...]
    measurements: Mapping[str, Measurement]
    conditions: Conditions
    layers: Layers
    steps: tuple[float, ...]
    sizes: Mapping[str, int]
    sensitivity: Mapping[str, float]


def texts(model: ModelDirectory, split: Split, result: Result) -> None:
    """Write `TEXTS` into the model's directory, so that anyone can compute the figures again."""
    heard = [(name, one.texts) for name, one in result.measurements.items()]
    lines = (
        {"id": clip.id, "speaker": clip.speaker, "text": clip.text} | {name: said[index] for name, said in heard}
        for index, clip in enumerate(split.test)
    )
    with writing(model.path / TEXTS):
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (model.path / TEXTS).write_text(content, encoding="utf-8")


def report(model: ModelDirectory, source: ModelDirectory, recipe: Recipe, split: Split, result: Result) -> None:
    """Write `report.html` into the model's directory. source: the model it was made from."""
    clips, layers = split.test, result.layers
    names = ["original", "all in 8 bits", *(f"{n} reverted" for n in range(1, len(result.steps)))]
    page = Report(
        title=f"{source.name} in INT8",
        verdict=result.proof.verdict,
        measurements=dict(result.measurements),
        references=[clip.text for clip in clips],
        ids=[clip.id for clip in clips],
        sizes=result.sizes,
        costs=result.proof.costs,
        bound=bound(recipe),
        busy=result.conditions.busy,
        reverted=list(zip(names, result.steps, strict=False)),
        sensitivity=result.sensitivity,
        facts={
            "data set": f"{recipe.test_dataset or recipe.dataset}, {len(clips)} utterances to measure on"
            + ("" if recipe.same_data else ", not used to build"),
            "text": NORMALIZATION,
            "in floating point": ", ".join([*layers.kept, *layers.reverted]) or "no layer",
            "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
            "processor": f"{cpu.name()} ({', '.join(cpu.flags()) or 'instructions unknown'})",
        },
    )
    write_report(model.path / "report.html", page)


def record(model: ModelDirectory, source: ModelDirectory, recipe: Recipe, split: Split, result: Result) -> None:
    """Write into the manifest what was built, from what, how, and how good it is."""
    layers = result.layers
    measured = {row.backend: row.plain() for row in figures(result.measurements, result.sizes)}
    manifest.write(
        model.path,
        **({"language": source.speaks} if source.speaks else {}),
        quantization={
            "source": {"name": source.name, "files": built_from(source)},
            "dataset": recipe.test_dataset or recipe.dataset,
            "split": {name: [clip.id for clip in clips] for name, clips in parts(split).items()},
            "by_speaker": split.by_speaker,
            "data": {name: fingerprint(clips) for name, clips in parts(split).items()},
            "recipe": recipe.plain(),
            "text": NORMALIZATION,
            "versions": versions(),
            "cpu": cpu.flags(),
            "layers": {"int8": list(layers.quantized), "kept": list(layers.kept), "reverted": list(layers.reverted)},
            "accuracy_lost": list(result.steps),
            "sizes": dict(result.sizes),
            "verdict": result.proof.verdict,
            "proof": result.proof.plain(),
            "refused": list(result.refused),
            "machine": result.conditions.plain(),
            "measured": measured,
            "same_bytes": "with the same data, options, versions and instructions of the processor (cpu)",
            "varies": [
                "machine",
                *(f"measured.*.{name}" for name in ("window_ms", "times_first", "real_time_factor")),
            ],
        },
    )

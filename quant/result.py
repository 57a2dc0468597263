"""Result of a run of `asrd quantize`: a report for people, and an entry in the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass

from asrd.core.cpu import flags
from asrd.models import ModelDirectory, manifest
from asrd.quant.acceptance import Proof
from asrd.quant.data import fingerprint
from asrd.quant.data.text import NORMALIZATION
from asrd.quant.evaluation.figures import figures
from asrd.quant.evaluation.measure import Measurement
from asrd.quant.evaluation.report import Report, write_report
from asrd.quant.provenance import built_from, parts, versions
from asrd.quant.recipe import Recipe
from asrd.quant.split import Split


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

    measurements: by backend, on the test set. steps: accuracy on the validation set of the original, of the quantized
    model, and after each group that was reverted. sizes: bytes of each backend's files. sensitivity: of layers, if it
    was asked for; see `sensitivity`.
    """

    proof: Proof
    measurements: Mapping[str, Measurement]
    layers: Layers
    steps: tuple[float, ...]
    sizes: Mapping[str, int]
    sensitivity: Mapping[str, float]


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
        reverted=list(zip(names, result.steps, strict=False)),
        sensitivity=result.sensitivity,
        facts={
            "data set": f"{recipe.test_dataset or recipe.dataset}, {len(clips)} utterances to measure on"
            + ("" if recipe.same_data else ", not used to build"),
            "text": NORMALIZATION,
            "in floating point": ", ".join([*layers.kept, *layers.reverted]) or "no layer",
            "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
            "processor": ", ".join(flags()) or "unknown",
        },
    )
    write_report(model.path / "report.html", page)


def record(model: ModelDirectory, source: ModelDirectory, recipe: Recipe, split: Split, result: Result) -> None:
    """Write into the manifest what was built, from what, how, and how good it is."""
    layers = result.layers
    measured = {row.backend: row.plain() for row in figures(result.measurements, result.sizes)}
    manifest.write(
        model.path,
        quantization={
            "source": {"name": source.name, "files": built_from(source)},
            "dataset": recipe.test_dataset or recipe.dataset,
            "split": {name: [clip.id for clip in clips] for name, clips in parts(split).items()},
            "by_speaker": split.by_speaker,
            "data": {name: fingerprint(clips) for name, clips in parts(split).items()},
            "recipe": recipe.plain(),
            "text": NORMALIZATION,
            "versions": versions(),
            "cpu": flags(),
            "layers": {"int8": list(layers.quantized), "kept": list(layers.kept), "reverted": list(layers.reverted)},
            "accuracy_steps": list(result.steps),
            "sizes": dict(result.sizes),
            "verdict": result.proof.verdict,
            "measured": measured,
            "varies": [f"measured.*.{name}" for name in ("window_ms", "times_first", "real_time_factor")],
        },
    )

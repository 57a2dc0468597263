"""Build a model directory whose INT8 model is proved good enough, or nothing."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from asrd.backends import LoadOptions, load
from asrd.core.cpu import flags
from asrd.core.errors import ModelError, UsageError
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory, manifest
from asrd.models.convert import convert, save
from asrd.quant.calibrate import calibration_windows
from asrd.quant.control import Validator
from asrd.quant.data import fingerprint
from asrd.quant.figures import figures, size
from asrd.quant.graph import in_floating_point, kept, layers
from asrd.quant.journal import Journal
from asrd.quant.measure import Measurement, measure
from asrd.quant.proof import Proof, prove
from asrd.quant.provenance import hashes, identity, parts, versions
from asrd.quant.quantize import QuantizationError, quantize, read_network
from asrd.quant.recipe import Recipe
from asrd.quant.report import Report, write_report
from asrd.quant.sensitivity import sensitivity
from asrd.quant.split import Split
from asrd.quant.text import NORMALIZATION

BACKENDS = ("torch", "fp16", "int8")
"""What is measured; the first is the original, to which the others are held."""


class Progress(Protocol):
    """Shows how far a stage is."""

    def stage(self, name: str, steps: int | None) -> None:
        """A stage of about so many steps begins; None where nobody can know."""

    def advance(self, steps: int = 1) -> None:
        """Steps are done."""

    def notice(self, text: str) -> None:
        """Say more about the stage."""


@dataclass(frozen=True, slots=True)
class Result:
    """measurements: by backend, on the test set. reverted: layers in floating point that were not
    asked to be. steps: accuracy on the validation set of the original, of the quantized model, and
    after each group that was reverted. sizes: bytes of each backend's files.
    """

    proof: Proof
    measurements: Mapping[str, Measurement]
    reverted: tuple[str, ...]
    steps: tuple[float, ...]
    sizes: Mapping[str, int]


def draft_of(out: Path) -> Path:
    """Where an unfinished run keeps its files."""
    return out.with_name(f".{out.name}.partial")


def build(
    source: ModelDirectory, out: Path, recipe: Recipe, split: Split, *, resume: bool, progress: Progress
) -> Result:
    """Write `source` with an FP16 and an INT8 model, a manifest and a report to the new directory `out`.

    The INT8 model is measured on `split.test` as it is deployed, against PyTorch and FP16. An
    interrupted run leaves `draft_of(out)`, from which `resume` goes on; a failed one leaves nothing.
    Raises UsageError where `out` exists or the run to resume was another, QuantizationError where
    INT8 costs more than the recipe allows, and what reading, converting and measuring raise.
    """
    if out.exists():
        raise UsageError(f"{out} exists already; give a new directory, or remove it first")
    draft = draft_of(out)
    if draft.exists() and not resume:
        shutil.rmtree(draft)
    if resume and not draft.exists():
        raise UsageError(f"there is no interrupted run to resume for {out}; leave --resume out")
    try:
        draft.mkdir(parents=True, exist_ok=True)
        journal = Journal(draft / ".journal.jsonl", identity(source, recipe, split))
        try:
            result = _Run(source, draft, recipe, split, journal, progress).complete()
        finally:
            journal.close()
        (draft / ".journal.jsonl").unlink()
        draft.replace(out)
    except OSError as error:
        raise ModelError(f"{out} cannot be written ({error.strerror}); make room or choose another place") from error
    except QuantizationError:  # all was done, and it is not good enough
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return result


def copy_checkpoint(source: ModelDirectory, path: Path) -> ModelDirectory:
    """The source's files in another directory, without what quantization makes."""
    leave = shutil.ignore_patterns("int8.*", manifest.NAME, "README.md", "report.html", ".*")
    shutil.copytree(source.path, path, ignore=leave, dirs_exist_ok=True)
    return ModelDirectory.open(path)


@dataclass(slots=True)
class _Run:
    """One run of `build`, stage by stage; what an interrupted one has finished is not done again."""

    source: ModelDirectory
    draft: Path
    recipe: Recipe
    split: Split
    journal: Journal
    progress: Progress
    windows: FloatArray | None = None

    def complete(self) -> Result:
        """All stages. Raises QuantizationError when the result is not good enough."""
        model = self._checkpoint()
        if self.journal.get("quantized") is None:
            self._quantize(model)
        network = read_network(model, "int8")
        floating = in_floating_point(network)
        spared = kept(network, self.recipe.keep_float)
        reverted = tuple(layer.label for layer in floating if layer not in spared)
        measurements = self._measure(model)
        result = Result(
            proof=prove(self.recipe, measurements, reverted),
            measurements=measurements,
            reverted=reverted,
            steps=tuple(self.journal.get("quantized")["steps"]),
            sizes={name: size(model, name) for name in measurements},
        )
        if not result.proof.holds:
            raise QuantizationError(result.proof.verdict)
        self._report(result, self._sensitivity(model), [layer.label for layer in floating])
        quantized = [layer.label for layer in layers(network) if layer not in floating]
        self._record(model, result, quantized, [layer.label for layer in spared])
        return result

    def _checkpoint(self) -> ModelDirectory:
        """The source's files, with an FP16 model made where there is none."""
        model = copy_checkpoint(self.source, self.draft)
        if not model.openvino("fp16").is_file():
            self.progress.stage("converting", 1)
            convert(model)
            self.progress.advance()
        return model

    def _windows(self, model: ModelDirectory) -> FloatArray:
        """Read and cut once, for quantization and for sensitivity."""
        if self.windows is None:
            recipe, clips = self.recipe, self.split.calibration
            self.windows = calibration_windows(model, clips, recipe.windows, recipe.seed, recipe.calibrate_on)
        return self.windows

    def _quantize(self, model: ModelDirectory) -> None:
        windows, network = self._windows(model), read_network(model)
        # NNCF takes the data twice: once to smooth activations, once to learn their ranges.
        self.progress.stage("calibrating", 2 * len(windows))
        taken = 0

        def feed() -> None:
            nonlocal taken
            taken += 1
            self.progress.advance()
            if taken == 2 * len(windows) and not self.recipe.fast:
                self.progress.stage("accuracy control", None)

        validator = Validator(
            model, self.split.validation, self.recipe.metric, self.journal, windows[:1], self.progress.advance
        )
        int8, groups = quantize(
            network,
            windows,
            self.recipe,
            keep_float=kept(network, self.recipe.keep_float),
            validator=validator,
            advance=feed,
            notice=self.progress.notice,
        )
        save(int8, model.openvino("int8"), compress=True)
        self.journal.record("quantized", {"steps": validator.steps, "groups": groups})

    def _measure(self, model: ModelDirectory) -> dict[str, Measurement]:
        """All backends as deployed: the daemon's windows, stitching and decoding, their own arithmetic."""
        clips = self.split.test
        self.progress.stage("measuring " + ", ".join(BACKENDS), len(BACKENDS) * len(clips))
        backends = {name: load(name, model, LoadOptions(cache=False)) for name in BACKENDS}
        try:
            return measure(backends, clips, self.progress.advance)
        finally:
            for backend in backends.values():
                backend.close()

    def _sensitivity(self, model: ModelDirectory) -> dict[str, float]:
        """Each layer alone in 8 bits; see `sensitivity`."""
        if not self.recipe.sensitivity:
            return {}
        network = read_network(model)
        self.progress.stage("sensitivity of each layer", len(layers(network)))
        return sensitivity(network, self._windows(model), self.recipe, self.progress.advance)

    def _report(self, result: Result, sensitivities: Mapping[str, float], floating: list[str]) -> None:
        recipe, clips = self.recipe, self.split.test
        names = ["original", "all in 8 bits", *(f"{n} reverted" for n in range(1, len(result.steps)))]
        report = Report(
            title=f"{self.source.name} in INT8",
            verdict=result.proof.verdict,
            measurements=dict(result.measurements),
            references=[clip.text for clip in clips],
            ids=[clip.id for clip in clips],
            sizes=result.sizes,
            reverted=list(zip(names, result.steps, strict=False)),
            sensitivity=sensitivities,
            facts={
                "data set": f"{recipe.test_dataset or recipe.dataset}, {len(clips)} utterances to measure on"
                + ("" if recipe.same_data else ", not used to build"),
                "text": NORMALIZATION,
                "in floating point": ", ".join(floating) or "no layer",
                "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
                "processor": ", ".join(flags()) or "unknown",
            },
        )
        write_report(self.draft / "report.html", report)

    def _record(self, model: ModelDirectory, result: Result, quantized: list[str], spared: list[str]) -> None:
        """What was built from what, how, and how good it is; the last thing that is written."""
        measured = {row.backend: row.plain() for row in figures(result.measurements, result.sizes)}
        manifest.write(
            model.path,
            quantization={
                "source": {"name": self.source.name, "files": hashes(self.source.path)},
                "dataset": self.recipe.test_dataset or self.recipe.dataset,
                "split": {name: [clip.id for clip in clips] for name, clips in parts(self.split).items()},
                "by_speaker": self.split.by_speaker,
                "data": {name: fingerprint(clips) for name, clips in parts(self.split).items()},
                "recipe": self.recipe.plain(),
                "text": NORMALIZATION,
                "versions": versions(),
                "cpu": flags(),
                "layers": {"int8": quantized, "kept": spared, "reverted": list(result.reverted)},
                "accuracy_steps": list(result.steps),
                "sizes": dict(result.sizes),
                "verdict": result.proof.verdict,
                "measured": measured,
                "varies": [f"measured.*.{name}" for name in ("window_ms", "times_first", "real_time_factor")],
            },
        )

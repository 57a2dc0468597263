"""From a checkpoint to a proved INT8 model, stage by stage."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from asrd.backends import LoadOptions, load
from asrd.core.errors import reason
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory, manifest
from asrd.models.convert import convert, save
from asrd.quant.acceptance import prove
from asrd.quant.calibration_windows import calibration_windows
from asrd.quant.data import fingerprint
from asrd.quant.evaluation.figures import size
from asrd.quant.evaluation.measure import BACKENDS
from asrd.quant.graph import in_floating_point, kept, layers
from asrd.quant.journal import Journal
from asrd.quant.measured import Measured
from asrd.quant.progress import Progress
from asrd.quant.provenance import steering
from asrd.quant.quantize import NotGoodEnoughError, QuantizationError, quantize, read_network
from asrd.quant.recipe import Recipe
from asrd.quant.result import Layers, Result, record, report, texts
from asrd.quant.sensitivity import sensitivity
from asrd.quant.split import Split
from asrd.quant.validator import Validator
from asrd.quant.workspace import copy_checkpoint


@dataclass(slots=True)
class Run:
    """One run, in the directory `draft`. What an interrupted run has finished is not done again."""

    source: ModelDirectory
    draft: Path
    recipe: Recipe
    split: Split
    journal: Journal
    progress: Progress
    windows: FloatArray | None = None

    def complete(self) -> Result:
        """Run all stages. Raises NotGoodEnoughError if the result costs too much, QuantizationError if NNCF fails."""
        model = self._checkpoint()
        if self.journal.get("quantized", {}).get("steering") != steering(self.recipe):
            self._quantize(model)
        result = self._prove(model)
        texts(model, self.split, result)
        report(model, self.source, self.recipe, self.split, result)
        record(model, self.source, self.recipe, self.split, result)
        return result

    def _prove(self, model: ModelDirectory) -> Result:
        network = read_network(model, "int8")
        floating = in_floating_point(network)
        spared = kept(network, self.recipe.keep_float)
        reverted = tuple(layer.label for layer in floating if layer not in spared)
        measured = self._measure(model)
        proof = prove(self.recipe, self.split.test, measured.backends, tuple(layer.label for layer in floating))
        refused = self.journal.get("refused", [])
        if not proof.accepted:
            self.journal.record("refused", [*refused, proof.verdict])
            raise NotGoodEnoughError(proof.verdict)
        return Result(
            proof=proof,
            refused=tuple(refused),
            measurements=measured.backends,
            conditions=measured.conditions,
            layers=Layers(
                quantized=tuple(layer.label for layer in layers(network) if layer not in floating),
                kept=tuple(layer.label for layer in spared),
                reverted=reverted,
            ),
            steps=tuple(self.journal.get("quantized")["steps"]),
            sizes={name: size(model, name) for name in measured.backends},
            sensitivity=self._sensitivity(model),
        )

    def _checkpoint(self) -> ModelDirectory:
        """Copy the source's files, and make an FP16 model if there is none."""
        model = copy_checkpoint(self.source, self.draft)
        if not model.openvino("fp16").is_file():
            self.progress.stage("converting", 1)
            convert(model)
            self.progress.advance()
        return model

    def _windows(self, model: ModelDirectory) -> FloatArray:
        """Read and cut the windows once, for quantization and for sensitivity."""
        if self.windows is None:
            recipe, clips = self.recipe, self.split.calibration
            self.windows = calibration_windows(model, clips, recipe.windows, recipe.seed, recipe.calibrate_on)
        return self.windows

    def _quantize(self, model: ModelDirectory) -> None:
        windows, network = self._windows(model), read_network(model)
        # NNCF takes the data to learn ranges, and twice before that if it smooths, once less without accuracy control.
        smooths = self.recipe.smooth_quant >= 0
        self.progress.stage("calibrating", len(windows) * (1 + smooths * (1 if self.recipe.fast else 2)))
        validator = Validator(model, self.split.validation, self.recipe, self.journal, self.progress)
        int8, groups = quantize(
            network,
            windows,
            self.recipe,
            keep_float=kept(network, self.recipe.keep_float),
            validator=validator,
            advance=self.progress.advance,
        )
        save(int8, model.openvino("int8"), compress=True)
        self.journal.record(
            "quantized", {"steering": steering(self.recipe), "steps": validator.steps, "groups": groups}
        )

    def _measure(self, model: ModelDirectory) -> Measured:
        """Measure all backends as deployed: with the daemon's windows, stitching and decoding, and their own
        arithmetic.
        """
        clips = self.split.test
        weights = manifest.sha256(model.openvino("int8").with_suffix(".bin"))
        key = f"measured {self.recipe.arithmetic} {fingerprint(clips)} {weights}"
        if known := self.journal.get(key):
            return Measured.of(known, clips)
        self.progress.stage("measuring " + ", ".join(BACKENDS), len(BACKENDS) * len(clips))
        with ExitStack() as closing:
            int8 = LoadOptions(cache=False, arithmetic=self.recipe.arithmetic)
            options = {name: int8 if name == "int8" else LoadOptions(cache=False) for name in BACKENDS}
            backends = {name: load(name, model, options[name]) for name in BACKENDS}
            for backend in backends.values():
                closing.callback(backend.close)
            measured = Measured.take(backends, clips, self.progress.advance)
        self.journal.record(key, measured.plain())
        return measured

    def _sensitivity(self, model: ModelDirectory) -> dict[str, float]:
        """Measure each layer alone in 8 bits; see `sensitivity`."""
        if not self.recipe.sensitivity:
            return {}
        network = read_network(model)
        self.progress.stage("sensitivity of each layer", len(layers(network)))
        try:
            return sensitivity(network, self._windows(model), self.recipe, self.progress.advance)
        except (QuantizationError, RuntimeError) as error:  # RuntimeError is OpenVINO's
            raise QuantizationError(
                f"the model is good enough, but what each layer suffers cannot be told ({reason(error)}); "
                "the same command with --resume --no-sensitivity writes it without"
            ) from error

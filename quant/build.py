"""Build a model directory whose INT8 model is known to be good enough."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from asrd.backends import LoadOptions, registry
from asrd.core.errors import ModelError, UsageError
from asrd.models import ModelDirectory, manifest
from asrd.models.convert import convert, save
from asrd.models.speech import Utterance
from asrd.quant.calibrate import calibration_windows
from asrd.quant.cpu import flags
from asrd.quant.graph import layers, select
from asrd.quant.measure import NORMALIZATION, Score, score, transcribe
from asrd.quant.quantize import QuantizationError, quantize, read_network


class Progress(Protocol):
    """Shows how far a stage is."""

    def stage(self, name: str, steps: int) -> None:
        """A stage of about so many steps begins."""

    def advance(self) -> None:
        """One step is done."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """calibration: at most so many windows. keep_float: patterns of layers to leave alone.
    max_drop: how many of 100 words, or characters, more may be wrong, as a fraction.
    """

    calibration: int = 300
    keep_float: tuple[str, ...] = ()
    max_drop: float = 0.01
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """The measured scores, and the sizes of both models in bytes, weights and graph together."""

    fp16: Score
    int8: Score
    fp16_size: int
    int8_size: int
    arithmetic: tuple[str, str]

    @property
    def drop(self) -> float:
        """What INT8 costs, in the rate that suffers more."""
        return self.int8.worse_by(self.fp16)


def build(
    source: ModelDirectory,
    out: Path,
    recipe: Recipe,
    *,
    calibration: Sequence[Utterance],
    validation: Sequence[Utterance],
    progress: Progress,
) -> Result:
    """Write `source` with an FP16 and an INT8 model to the new directory `out`, if it is good enough.

    The manifest says how it was made and measured. Nothing is left behind when anything fails.
    Raises UsageError where `out` exists, QuantizationError where INT8 costs more than
    `recipe.max_drop`, and what reading, converting and measuring raise.
    """
    with _draft(source, out) as path:
        model = ModelDirectory.open(path)
        if not model.openvino("fp16").is_file():
            progress.stage("converting", 1)
            convert(model)
            progress.advance()
        windows = calibration_windows(model, calibration, recipe.calibration, recipe.seed)
        network = read_network(model)
        kept = select(layers(network), recipe.keep_float)
        # NNCF takes the data twice: once to smooth activations, once to learn their ranges.
        progress.stage("calibrating", 2 * len(windows))
        save(quantize(network, windows, kept, progress.advance), model.openvino("int8"), compress=True)
        result = _measure(model, validation, progress)
        if result.drop > recipe.max_drop:
            raise QuantizationError(
                f"INT8 costs {100 * result.drop:.2f} points on {result.fp16.words} words, more than "
                f"{100 * recipe.max_drop:.2f}; nothing was written; keep fragile layers with "
                "--keep-float 'front.*', or allow more with --max-drop"
            )
        manifest.write(
            path,
            quantization={
                "nncf": version("nncf"),
                "openvino": version("openvino"),
                "windows": len(windows),
                "utterances": {"calibration": len(calibration), "validation": len(validation)},
                "seed": recipe.seed,
                "kept_in_floating_point": [layer.label for layer in kept],
                "text": NORMALIZATION,
                "measured": {"fp16": asdict(result.fp16), "int8": asdict(result.int8)},
                "arithmetic": {"fp16": result.arithmetic[0], "int8": result.arithmetic[1]},
                "cpu": flags(),
            },
        )
    return result


@contextmanager
def _draft(source: ModelDirectory, out: Path) -> Iterator[Path]:
    """A copy of the model's files beside `out`, which becomes `out` when all went well."""
    if out.exists():
        raise UsageError(f"{out} exists already; give a new directory, or remove it first")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            path = Path(folder) / out.name
            shutil.copytree(
                source.path, path, ignore=shutil.ignore_patterns("int8.*", manifest.NAME, "README.md", ".*")
            )
            yield path
            path.replace(out)
    except OSError as error:
        raise ModelError(f"{out} cannot be written ({error.strerror}); choose another directory") from error


def _measure(model: ModelDirectory, validation: Sequence[Utterance], progress: Progress) -> Result:
    """Both models as deployed: the daemon's windows, stitching and decoding, each backend's own arithmetic."""
    scores, arithmetic, sizes = [], [], []
    references = [utterance.text for utterance in validation]
    for precision in ("fp16", "int8"):
        progress.stage(f"measuring {precision}", len(validation))
        backend = registry.load(precision, model, LoadOptions(cache=False))
        scores.append(score(references, transcribe(backend, validation, advance=progress.advance)))
        arithmetic.append(backend.arithmetic)
        backend.close()
        path = model.openvino(precision)
        sizes.append(path.stat().st_size + path.with_suffix(".bin").stat().st_size)
    return Result(scores[0], scores[1], sizes[0], sizes[1], (arithmetic[0], arithmetic[1]))

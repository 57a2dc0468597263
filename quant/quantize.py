"""Turn the FP16 model into an INT8 one with NNCF."""

import io
import logging
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

from asrd.core.errors import AsrdError, ModelError, reason
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory, runtime
from asrd.models.convert import trace
from asrd.quant.graph import Layer, layers, select
from asrd.quant.recipe import Recipe
from asrd.quant.search import Candidate, followed
from asrd.quant.smooth import smoothed
from asrd.quant.validator import Reverted, Validator


class QuantizationError(AsrdError):
    """A model cannot be quantized, or the result is not good enough."""


class NotGoodEnoughError(QuantizationError):
    """The result is complete, but costs more than the recipe allows."""


def read_network(model: ModelDirectory, precision: str = "fp16") -> Any:
    """Read one of the model's networks: an `openvino.Model` with free batch and length. Raises ModelError."""
    path = model.openvino(precision)
    try:
        return runtime.openvino().Core().read_model(path)
    except RuntimeError as error:
        said = f"OpenVINO cannot read the {precision.upper()} network ({reason(error)})"
        raise ModelError(f"{said}; see 'asrd model verify', and pull or convert the model again") from error


def check_layers(model: ModelDirectory, patterns: Sequence[str]) -> None:
    """Raise UsageError for a pattern that matches no layer; a model without an FP16 network is traced for it."""
    if patterns:
        select(layers(read_network(model) if model.openvino("fp16").is_file() else trace(model)), patterns)


def quantize(
    network: Any,
    windows: FloatArray,
    recipe: Recipe | None = None,
    *,
    keep_float: Sequence[Layer] = (),
    validator: Validator | None = None,
    advance: Callable[[], None] = lambda: None,
    **backend: Any,
) -> tuple[Any, list[list[str]]]:
    """Return an INT8 `openvino.Model`, and the groups of operations that were reverted on the way.

    On the same kind of processor, the same input gives the same model. With a validator, and unless the recipe says
    `fast`, groups are reverted until the validator's loss is within the recipe's bound, or none is left: NNCF does not
    say which, so measure the result.

    windows: `(n, samples)` float32, normalised. keep_float: layers left as they are.
    advance: called for each window taken.
    backend: NNCF's own parameters for OpenVINO.
    Raises MissingExtraError without NNCF, QuantizationError if it fails.
    """
    nncf = runtime.nncf()
    recipe = recipe or Recipe()
    logger = logging.getLogger("nncf")
    reverted = Reverted(validator.step if validator else lambda _: None)

    def feed(window: FloatArray) -> FloatArray:
        advance()
        return window[None]

    common = {
        "subset_size": len(windows),
        "model_type": nncf.ModelType.TRANSFORMER,
        "target_device": nncf.TargetDevice.CPU,
        "preset": nncf.QuantizationPreset(recipe.preset),
        "ignored_scope": nncf.IgnoredScope(names=[layer.node for layer in keep_float]),
    }
    data = nncf.Dataset(list(windows), feed)
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    logger.handlers, logger.propagate = [reverted], False
    logger.setLevel(logging.INFO)
    try:
        with redirect_stdout(io.StringIO()):  # NNCF draws bars of its own, one per step
            if recipe.fast or validator is None:
                return nncf.quantize(network, data, advanced_parameters=_advanced(nncf, recipe, backend), **common), []
            if recipe.smooth_quant >= 0:
                plain = _advanced(nncf, recipe, {"compress_weights": False}, correct_biases=False)
                network = smoothed(network, lambda it: nncf.quantize(it, data, advanced_parameters=plain, **common))
            validator.original = Candidate(network)
            with followed(validator.ranks, validator.prepare, recipe.arithmetic):
                result = nncf.quantize_with_accuracy_control(
                    network,
                    calibration_dataset=data,
                    validation_dataset=nncf.Dataset(range(len(validator.clips))),
                    validation_fn=validator,
                    max_drop=recipe.bound,  # of the validator's loss, which is absolute or relative itself
                    drop_type=nncf.DropType.ABSOLUTE,
                    advanced_quantization_parameters=_advanced(nncf, replace(recipe, smooth_quant=-1), backend),
                    advanced_accuracy_restorer_parameters=nncf.AdvancedAccuracyRestorerParameters(
                        ranking_subset_size=recipe.ranking_subset,
                        num_ranking_workers=recipe.workers,
                        **({"max_num_iterations": recipe.iterations} if recipe.iterations else {}),
                    ),
                    **common,
                )
            return result, reverted.groups
    except (RuntimeError, ValueError, MemoryError, nncf.ValidationError) as error:
        raise QuantizationError(f"NNCF cannot quantize this model: {reason(error)}") from error
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def _advanced(nncf: Any, recipe: Recipe, backend: dict[str, Any], *, correct_biases: bool = True) -> Any:
    """Build NNCF's advanced parameters. Without VNNI or the like, 8-bit sums may saturate on the machine that the
    model is *used* on, which is not known here; so NNCF's fix for that keeps its default.
    """
    parameters = nncf.quantization.advanced_parameters
    weights = parameters.QuantizationParameters(per_channel=False) if recipe.per_tensor_weights else None
    return nncf.AdvancedQuantizationParameters(
        smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=recipe.smooth_quant),
        weights_quantization_params=weights,
        disable_bias_correction=not correct_biases,
        backend_params=backend,
    )

"""Recipe: all options that decide an INT8 model, in one record that a manifest can keep."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Metric = Literal["wer", "cer"]
Metrics = Literal["both", "wer", "cer"]
DropType = Literal["absolute", "relative"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The options of a quantization.

    dataset: as `asrd.quant.data.dataset` takes it; test_dataset: the data set to take the test set from, "" for the
    same. calibration, validation, test: number of utterances for calibration, for accuracy control and for the proof.
    same_data: use the same utterances for all three, as NNCF's tutorial does. windows: most windows to calibrate
    with. calibrate_on: "windows" as the daemon's segmenter cuts them, or whole "utterances" cut at fixed length.
    metric: the error rates that accuracy control and the proof hold to the bound, judged by the worst. max_drop:
    accuracy that may be lost, as a fraction; accuracy is 1 - error rate. drop_type: whether that is absolute, or
    relative to the original accuracy. accept_uncertain: write the model also if the proof cannot tell whether it is
    good enough. fast: plain quantization without accuracy control. ranking_subset: utterances that layers are ranked
    with. iterations: most groups to revert; 0 for no limit. preset: "mixed" has asymmetric activations, "performance"
    symmetric ones. smooth_quant: how far outliers move from activations into weights, 0 to 1; negative for not at
    all. per_tensor_weights: one scale for a layer's weights instead of one per channel. keep_float: patterns of
    layers to keep in floating point. arithmetic: what is computed in floating point when the result is deployed, "f32"
    or "bf16"; accuracy control and the proof use it. sensitivity: whether the report shows each layer's sensitivity.
    """

    dataset: str = "bundled"
    test_dataset: str = ""
    calibration: int = 60
    validation: int = 60
    test: int = 60
    windows: int = 300
    same_data: bool = False
    calibrate_on: Literal["windows", "utterances"] = "windows"
    metric: Metrics = "both"
    max_drop: float = 0.01
    drop_type: DropType = "absolute"
    accept_uncertain: bool = False
    fast: bool = False
    ranking_subset: int = 25
    iterations: int = 0
    preset: Literal["mixed", "performance"] = "mixed"
    smooth_quant: float = 0.95
    per_tensor_weights: bool = False
    keep_float: tuple[str, ...] = ()
    arithmetic: Literal["f32", "bf16"] = "f32"
    sensitivity: bool = True
    workers: int = 1
    seed: int = 0

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The error rates that are held to the bound."""
        return ("wer", "cer") if self.metric == "both" else (self.metric,)

    @property
    def bound(self) -> float:
        """`max_drop`, with room for rounding: 0.95 - 0.94, a loss of one point, is more than 0.01 in floating point."""
        return self.max_drop + 1e-9

    def plain(self) -> dict[str, Any]:
        """Return the recipe as JSON can hold it."""
        return asdict(self) | {"keep_float": list(self.keep_float)}

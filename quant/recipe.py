"""Everything that decides what an INT8 model becomes, in one record that a manifest can keep."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Metric = Literal["wer", "cer"]
DropType = Literal["absolute", "relative"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to quantize.

    dataset: as `asrd.quant.data.dataset` takes it; test_dataset: to take the test set from, "" for
    the same. calibration, validation, test: utterances to learn ranges from, to steer by and to
    prove by. same_data: use the same utterances for all three, as NNCF's tutorial does.
    windows: at most so many are learnt from. calibrate_on: "windows" as the daemon's segmenter cuts
    them, or whole "utterances" cut plainly.
    metric: what accuracy control steers by; the proof asks it of both WER and CER.
    max_drop: accuracy that may be lost, as a fraction; accuracy is 1 - error rate. drop_type:
    lost of the whole, or relative to the accuracy there was.
    fast: plain quantization without accuracy control. ranking_subset: utterances that layers are
    ranked with. iterations: groups that may be reverted at most; 0 for no bound.
    preset: "mixed" has asymmetric activations, "performance" symmetric ones. smooth_quant: how far
    outliers move from activations into weights, 0 to 1, negative for not at all.
    per_tensor_weights: one scale for a layer's weights instead of one a channel.
    keep_float: patterns of layers to leave alone. sensitivity: whether the report shows what each
    layer alone suffers.
    """

    dataset: str = "bundled"
    test_dataset: str = ""
    calibration: int = 60
    validation: int = 60
    test: int = 60
    windows: int = 300
    same_data: bool = False
    calibrate_on: Literal["windows", "utterances"] = "windows"
    metric: Metric = "wer"
    max_drop: float = 0.01
    drop_type: DropType = "absolute"
    fast: bool = False
    ranking_subset: int = 25
    iterations: int = 0
    preset: Literal["mixed", "performance"] = "mixed"
    smooth_quant: float = 0.95
    per_tensor_weights: bool = False
    keep_float: tuple[str, ...] = ()
    sensitivity: bool = True
    workers: int = 1
    seed: int = 0

    @property
    def bound(self) -> float:
        """`max_drop`, with room for rounding: 0.95 - 0.94, a loss of one point, is more than 0.01 in floating point."""
        return self.max_drop + 1e-9

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"keep_float": list(self.keep_float)}

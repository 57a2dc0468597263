"""OpenVINO backends: the same code on another file of the model directory."""

from typing import Any, ClassVar, Self

import numpy as np
from asrd.backends.base import Backend, LoadOptions
from asrd.core.errors import BackendError, ModelError
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from platformdirs import user_cache_path


class OpenVinoBackend(Backend):
    """Runs `openvino/<precision>.xml`.

    The window length `[1, MAX_WINDOW]` is compiled as a static shape, which is faster and keeps
    memory steady; a second, dynamic compilation serves the rarer windows that a stream's very
    beginning, or end, leaves shorter.
    """

    requires = ("openvino",)
    precision: ClassVar[str]

    def __init__(self, model: ModelDirectory, static: Any, dynamic: Any) -> None:
        super().__init__(model)
        self._static = static.create_infer_request()
        self._dynamic = dynamic.create_infer_request()
        self._hint = str(static.get_property("INFERENCE_PRECISION_HINT").to_string())

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """Compile both shapes. Raises ModelError without the file, BackendError if it won't compile."""
        import openvino

        path = model.openvino(cls.precision)
        if not path.is_file() or not path.with_suffix(".bin").is_file():
            raise ModelError(f"{model.name} has no {cls.precision.upper()} model at {path}; {cls._remedy(model)}")
        core = openvino.Core()
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if options.threads:
            settings["INFERENCE_NUM_THREADS"] = options.threads
        if options.cache:
            core.set_property({"CACHE_DIR": str(user_cache_path("asrd") / "openvino")})
        try:
            network = core.read_model(path)
            dynamic = core.compile_model(network, options.device, settings)
            network.reshape([1, MAX_WINDOW])
            static = core.compile_model(network, options.device, settings)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise BackendError(f"OpenVINO cannot compile {path} for {options.device}: {reason}") from error
        return cls(model, static, dynamic)

    @classmethod
    def _remedy(cls, model: ModelDirectory) -> str:
        return f"build it with 'asrd model convert {model.path}'"

    @property
    def arithmetic(self) -> str:
        """The inference precision OpenVINO settled on; "FP16" in a file name is only storage."""
        return self._hint

    def _run(self, batch: FloatArray) -> FloatArray:
        request = self._static if batch.shape[1] == MAX_WINDOW else self._dynamic
        rows = [request.infer({0: row[None]})[0].copy() for row in batch]
        return np.concatenate(rows).astype(np.float32, copy=False)


class Fp16Backend(OpenVinoBackend):
    """Weights stored in 16 bits; arithmetic as the CPU does best (see `arithmetic`)."""

    precision = "fp16"


class Int8Backend(OpenVinoBackend):
    """Weights and activations in 8 bits where quantization left them so."""

    precision = "int8"

    @classmethod
    def _remedy(cls, model: ModelDirectory) -> str:
        return f"build it with 'asrd quantize --model {model.path} --dataset bundled -o OUT'"

    @property
    def arithmetic(self) -> str:
        """int8, and for what stayed in floating point OpenVINO's inference precision."""
        return f"int8+{self._hint}"

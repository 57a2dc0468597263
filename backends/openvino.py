"""OpenVINO backends: the same code for different files of the model directory."""

import re
from typing import Any, ClassVar, Self

import numpy as np

from asrd.backends import amx, cache
from asrd.backends.base import Backend, LoadOptions
from asrd.core import cpu
from asrd.core.errors import BackendError, ModelError, UsageError, reason
from asrd.core.flow import FloatArray
from asrd.core.shell import quoted
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory, runtime
from asrd.models.proof import proved_arithmetic

SHAPES_REMEMBERED = 64
"""Most kernels kept for lengths met before. With OpenVINO's own default of 5000, memory grows by megabytes with every
new length, until a daemon that has run for days holds gigabytes. oneDNN, below, keeps 1024 of its own.
"""

VIRTUAL = ("AUTO", "BATCH", "HETERO", "MULTI")
"""Devices that use others, which are named after a colon: "HETERO:GPU,CPU"."""

PRECISION = "INFERENCE_PRECISION_HINT"


class OpenVinoBackend(Backend):
    """Runs `openvino/<precision>.xml`.

    The window length `[1, MAX_WINDOW]` is compiled as a static shape, which is faster and keeps memory steady; a
    second, dynamic compilation serves the rarer, shorter windows at the very beginning or end of a stream.
    """

    requires = ("openvino",)
    arithmetics = ("f32", "bf16")
    precision: ClassVar[str]

    def __init__(self, model: ModelDirectory, static: Any, dynamic: Any) -> None:
        super().__init__(model)
        self._static = static.create_infer_request()
        self._dynamic = dynamic.create_infer_request()
        self._hint = _precision(static)

    @classmethod
    def check(cls, options: LoadOptions) -> None:
        """Raise UsageError for a device that OpenVINO does not see, or arithmetic that the CPU does not have."""
        known = runtime.openvino().Core().available_devices
        families = {name.partition(".")[0] for name in known} | {*VIRTUAL}  # GPU.0 and GPU.1 are GPU's
        named = re.findall(r"[A-Za-z_]+", options.device)
        if not named or not families.issuperset(named):
            here = ", ".join([*known, "AUTO"])
            raise UsageError(f"OpenVINO has no device '{options.device}' here; it has: {here}")
        if options.arithmetic == "bf16" and "CPU" in options.device and not cpu.has_bf16():
            raise UsageError("this processor has no bf16 arithmetic; choose f32")

    @classmethod
    def check_model(cls, model: ModelDirectory) -> None:
        """Raise ModelError if a file is missing."""
        path = model.openvino(cls.precision)
        if not path.is_file() or not path.with_suffix(".bin").is_file():
            raise ModelError(f"{model.name} has no {cls.precision.upper()} model at {path}; {cls._remedy(model)}")

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """Compile both shapes. Raises ModelError if a file is missing, BackendError if the model does not compile."""
        cls.check_model(model)
        path = model.openvino(cls.precision)
        core = runtime.openvino().Core()
        settings = cls._settings(model, options)
        try:
            with runtime.one_at_a_time():
                # Set on the CPU itself, whichever device is used: AUTO and the like do not pass such a setting on.
                core.set_property("CPU", {"CPU_RUNTIME_CACHE_CAPACITY": SHAPES_REMEMBERED})
                network = core.read_model(path)
                amx.spare(network)
                dynamic = core.compile_model(network, options.device, settings)
                network.reshape([1, MAX_WINDOW])
                static = core.compile_model(network, options.device, settings)
        except RuntimeError as error:
            raise BackendError(f"OpenVINO cannot compile {path} for {options.device}: {reason(error)}") from error
        backend = cls(model, static, dynamic)
        # OpenVINO 2026.4.1 prepares a network for the first length that it meets. If that is one frame, as it may be in
        # a stream, it computes noise for longer windows from then on.
        backend.warm_up(max(MAX_WINDOW // 2, model.geometry.shortest))
        return backend

    @classmethod
    def _settings(cls, model: ModelDirectory, options: LoadOptions) -> dict[str, Any]:
        """Translate `options` into OpenVINO's properties."""
        path = model.openvino(cls.precision)
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            PRECISION: options.arithmetic or cls._arithmetic(model),
        }
        if options.threads:
            settings["INFERENCE_NUM_THREADS"] = options.threads
        if options.cache and (kept := cache.compiled(path)):
            settings["CACHE_DIR"] = str(kept)
        return settings

    @classmethod
    def _arithmetic(cls, model: ModelDirectory) -> str:
        """Choose the arithmetic if `LoadOptions` names none.

        OpenVINO itself uses bf16 where the CPU has it. Its 8 bits of mantissa move the logits by a tenth. That is too
        far from the checkpoint for a default that nothing has proved.
        """
        return "f32"

    @classmethod
    def _remedy(cls, model: ModelDirectory) -> str:
        return f"build it with 'asrd model convert {quoted(model.single)}'"

    @property
    def arithmetic(self) -> str:
        """The inference precision that OpenVINO chose; "FP16" in a file name is only storage."""
        return self._hint

    def close(self) -> None:
        """Drop the compiled models, and with them their memory."""
        self._static = self._dynamic = None

    def infer(self, batch: FloatArray) -> FloatArray:
        """Run window by window: the graph is compiled for a batch of one."""
        request = self._static if batch.shape[1] == MAX_WINDOW else self._dynamic
        rows = [request.infer({0: row[None]})[0].copy() for row in batch]
        return np.concatenate(rows).astype(np.float32, copy=False)


def _precision(compiled: Any) -> str:
    """Return OpenVINO's floating-point precision. AUTO and the like have none of their own; the devices they use do."""
    if PRECISION in compiled.get_property("SUPPORTED_PROPERTIES"):
        return str(compiled.get_property(PRECISION).to_string())
    devices = compiled.get_property("DEVICE_PROPERTIES").values()
    return "+".join(sorted({str(device[PRECISION].to_string()) for device in devices if PRECISION in device}))


class Fp16Backend(OpenVinoBackend):
    """Stores weights in 16 bits and, unless told otherwise, computes in 32."""

    precision = "fp16"


class Int8Backend(OpenVinoBackend):
    """Computes weights and activations in 8 bits, except where quantization kept floating point."""

    precision = "int8"

    @classmethod
    def _arithmetic(cls, model: ModelDirectory) -> str:
        """Choose bf16 where it is faster and the model is proved to be good enough with it."""
        return "bf16" if proved_arithmetic(model) == "bf16" and cpu.is_fast_in_bf16() else "f32"

    @classmethod
    def _remedy(cls, model: ModelDirectory) -> str:
        build = f"build it with 'asrd quantize --model {quoted(model.single)} --dataset bundled --max-drop 0.03 -o OUT'"
        return f"use --backend fp16, or {build}" if model.openvino("fp16").is_file() else build

    @property
    def arithmetic(self) -> str:
        """Name int8, plus OpenVINO's inference precision for what stayed in floating point."""
        return f"int8+{self._hint}"

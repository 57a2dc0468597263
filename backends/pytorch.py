"""The reference backend: transformers' own network in eager PyTorch."""

from typing import Any, Self

from asrd.backends.base import Backend, LoadOptions
from asrd.core.errors import BackendError, ModelError, UsageError, reason
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory
from asrd.models.checkpoint import load_checkpoint


class TorchBackend(Backend):
    """Runs the checkpoint itself in float32."""

    requires = ("torch", "transformers")
    extra = "torch"
    arithmetics = ("f32",)
    max_batch = 4

    def __init__(self, model: ModelDirectory, network: Any, device: str) -> None:
        super().__init__(model)
        self._network = network
        self._device = device

    @classmethod
    def check(cls, options: LoadOptions) -> None:
        """Raise UsageError for a device that this build of PyTorch cannot use."""
        import torch

        device = options.device.lower()
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:  # "not compiled with CUDA" is an assertion
            raise UsageError(f"PyTorch cannot use device '{device}': {reason(error)}") from error

    @classmethod
    def check_model(cls, model: ModelDirectory) -> None:
        """Raise ModelError if there is no checkpoint."""
        if not model.has_weights:
            raise ModelError(f"{model.path} holds no checkpoint (model.safetensors); pull it again")

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """Load every tensor of the checkpoint. Raises ModelError if one is missing."""
        import torch

        if options.threads:
            torch.set_num_threads(options.threads)
        torch.backends.cudnn.allow_tf32 = False  # PyTorch's default has 10 bits of mantissa in convolutions
        cls.check_model(model)
        device = options.device.lower()
        try:
            network = load_checkpoint(model).to(device)
        except RuntimeError as error:  # it has too little memory
            raise BackendError(f"PyTorch cannot use device '{device}': {reason(error)}") from error
        return cls(model, network, device)

    @property
    def arithmetic(self) -> str:
        """Always single precision."""
        return "f32"

    def close(self) -> None:
        """Drop the network, and with it its memory."""
        self._network = None

    def infer(self, batch: FloatArray) -> FloatArray:
        """Run the whole batch at once."""
        import torch

        with torch.inference_mode():
            values = torch.from_numpy(batch.copy("C")).to(self._device)  # torch takes no read-only memory
            logits: FloatArray = self._network(values).logits.cpu().numpy()
        return logits

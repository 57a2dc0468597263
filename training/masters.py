"""Mixed-precision training: parameters that compute in bfloat16, and float32 masters that learn.

A step at a low learning rate is too small for a bfloat16 parameter: it would be rounded away (Micikevicius et al. 2018,
"Mixed precision training"). A running mean of the masters is kept as well; it is better than any of them (Polyak and
Juditsky 1992).
"""

from typing import Any

import torch
from torch import Tensor, nn

SLOWEST = 0.001
"""Least weight of the newest step in the running mean, which then reaches back some 1000 steps."""


class Masters:
    """float32 masters of a module's parameters, by name, and their running mean."""

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        """module: in float32; its parameters are converted to `dtype`, its buffers are not."""
        self.weights = {name: value.detach().clone() for name, value in module.named_parameters()}
        self.mean = {name: value.clone() for name, value in self.weights.items()}
        self.averaged = 0
        for parameter in module.parameters():
            parameter.data = parameter.data.to(dtype)
        self._live: dict[str, Any] = dict(module.named_parameters())

    def collect(self) -> None:
        """Move the gradients from the parameters to the masters, in float32."""
        for name, parameter in self._live.items():
            self.weights[name].grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def publish(self) -> None:
        """Copy the masters into the parameters, rounded."""
        for name, parameter in self._live.items():
            parameter.copy_(self.weights[name])

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def average(self) -> None:
        """Add the masters to the running mean; up to 1000 steps, all count alike."""
        self.averaged += 1
        share = max(SLOWEST, 1 / self.averaged)
        torch._foreach_lerp_(list(self.mean.values()), list(self.weights.values()), share)

    def best(self) -> dict[str, Tensor]:
        """Return the running mean, or the masters where nothing was averaged yet."""
        return self.mean if self.averaged else self.weights

    def state(self) -> dict[str, Any]:
        """Return the state, for `torch.save`."""
        return {"weights": self.weights, "mean": self.mean, "averaged": self.averaged}

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def restore(self, state: dict[str, Any]) -> None:
        """Restore a `state`, and publish it."""
        for name, value in self.weights.items():
            value.copy_(state["weights"][name])
            self.mean[name].copy_(state["mean"][name])
        self.averaged = state["averaged"]
        self.publish()

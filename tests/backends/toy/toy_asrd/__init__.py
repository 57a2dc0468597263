"""A third party's backends: one that works, and several that are broken in different ways."""

import numpy as np

from asrd.backends import Backend


class ToyBackend(Backend):
    """Correlates each frame with as many cosines as there are letters; their strengths are the logits."""

    @classmethod
    def load(cls, model, options):
        return cls(model)

    @property
    def arithmetic(self):
        return "f32"

    def infer(self, batch):
        field, stride = self.model.geometry.receptive_field, self.model.geometry.stride
        letters = np.arange(len(self.model.vocabulary))
        cosines = np.cos(np.pi * np.outer(np.arange(field) + 0.5, letters) / field).astype(np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(batch, field, axis=1)[:, ::stride]
        return frames @ cosines


class Stranger:
    """Is not a Backend."""


class Hollow(Backend):
    """Does not override `infer`."""

    @classmethod
    def load(cls, model, options):
        return cls(model)

    @property
    def arithmetic(self):
        return "f32"


class Needy(ToyBackend):
    """Requires a dependency that is not installed."""

    requires = ("numpy", "no_such_runtime.core")

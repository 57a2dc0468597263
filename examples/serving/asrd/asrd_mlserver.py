"""Serve an asrd model directory with MLServer: `pip install mlserver asrd`, then `mlserver start examples/serving`.

`model-settings.json` beside this file names the directory and one of asrd's backends.
"""

import numpy as np
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

from asrd.backends import load
from asrd.core.units import MAX_WINDOW
from asrd.models.store import resolve


class AsrdModel(MLModel):
    """Turns audio `(batch, samples)` into logits `(batch, frames, vocabulary)`."""

    async def load(self) -> bool:
        """Load the model; the first window is not slow then."""
        settings = self.settings.parameters.extra
        self._backend = load(settings["backend"], resolve(self.settings.parameters.uri))
        self._backend.warm_up(MAX_WINDOW)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Compute one request."""
        audio = np.asarray(payload.inputs[0].data.root, np.float32).reshape(payload.inputs[0].shape)
        logits = self._backend.logits(audio)
        output = ResponseOutput(name="logits", shape=logits.shape, datatype="FP32", data=logits.ravel().tolist())
        return InferenceResponse(model_name=self.name, outputs=[output])

"""Serve an asrd model directory with KServe: `pip install kserve asrd`, then `python asrd_kserve.py MODEL BACKEND`."""

import argparse

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, model_server
from kserve.utils.utils import generate_uuid

from asrd.backends import load
from asrd.core.units import MAX_WINDOW
from asrd.models.store import resolve


class AsrdModel(Model):
    """Turns audio `(batch, samples)` into logits `(batch, frames, vocabulary)`."""

    def __init__(self, name: str, model: str, backend: str) -> None:
        super().__init__(name)
        self._backend = load(backend, resolve(model))
        self._backend.warm_up(MAX_WINDOW)
        self.ready = True

    async def get_input_types(self) -> list[dict[str, object]]:
        """Describe the audio."""
        return [{"name": "audio", "datatype": "FP32", "shape": [-1, -1]}]

    async def get_output_types(self) -> list[dict[str, object]]:
        """Describe the logits."""
        return [{"name": "logits", "datatype": "FP32", "shape": [-1, -1, len(self._backend.model.vocabulary)]}]

    def predict(self, payload: InferRequest, headers: object = None, response_headers: object = None) -> InferResponse:
        """Compute one request."""
        logits = self._backend.logits(payload.inputs[0].as_numpy().astype(np.float32))
        output = InferOutput("logits", list(logits.shape), "FP32")
        output.set_data_from_numpy(logits)
        return InferResponse(
            payload.id or generate_uuid(),
            self.name,
            [output],
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    parser.add_argument("model")
    parser.add_argument("backend")
    arguments = parser.parse_args()
    ModelServer().start([AsrdModel("asrd", arguments.model, arguments.backend)])

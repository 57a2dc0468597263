"""Silero's detector, a small recurrent network, on OpenVINO, which asrd needs anyway."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from asrd.core.errors import AsrdError, MissingExtraError, UsageError, reason
from asrd.core.flow import FloatArray
from asrd.core.shell import pip
from asrd.core.units import Samples
from asrd.models import runtime

NETWORK = Path("data") / "silero_vad_openvino_16k.onnx"
"""The network's file in the distribution silero-vad: the variant without the branches that OpenVINO cannot read. Its
results equal those of the reference, the TorchScript file beside it, to 1e-6. The package itself, which imports
PyTorch, is not imported.
"""

CONTEXT = 64
"""Samples of the previous frame that the network gets with each frame, as in silero-vad's own code."""

STATE = (2, 1, 128)

RELEASE = 0.15
"""Difference by which the probability must fall below the threshold to end speech: the default of silero-vad's
`get_speech_timestamps`.
"""


class SileroVad:
    """Estimate a probability of speech for each 32 ms, with a network trained on many languages and noises.

    threshold: probability at which speech begins; 0.5 is silero-vad's default. Raises MissingExtraError if the
    distribution silero-vad is not installed.
    """

    frame = Samples(512)
    _state: FloatArray
    _speaking: bool

    def __init__(self, threshold: float = 0.5) -> None:
        if not 0 < threshold < 1:
            raise UsageError(f"the silero VAD's threshold is a probability between 0 and 1, not {threshold:g}")
        self._threshold = threshold
        self._request = _network().create_infer_request()
        self.reset()

    def is_speech(self, pcm: FloatArray) -> bool:
        """Return whether a 32 ms frame holds speech."""
        self._input[0, :CONTEXT] = self._input[0, -CONTEXT:]
        self._input[0, CONTEXT:] = pcm
        answer = self._request.infer({0: self._input, 1: self._state})
        self._state = answer[1].copy()
        self._speaking = float(answer[0][0, 0]) >= self._threshold - RELEASE * self._speaking
        return self._speaking

    def reset(self) -> None:
        """Reset the network's state."""
        self._input = np.zeros((1, CONTEXT + self.frame), np.float32)
        self._state = np.zeros(STATE, np.float32)
        self._speaking = False


@lru_cache(1)
def _network() -> Any:
    """Return the compiled network, one for all streams; each stream has its own inference request."""
    spec = find_spec("silero_vad")
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise MissingExtraError("silero", "VAD 'silero'")
    path = Path(places[0]) / NETWORK
    if not path.is_file():
        raise AsrdError(f"silero-vad is installed without {path}; {pip()} install --upgrade 'silero-vad>=6.2.3'")
    settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    try:
        return runtime.openvino().Core().compile_model(path, "CPU", settings)
    except RuntimeError as error:
        raise AsrdError(f"OpenVINO cannot compile {path}: {reason(error)}") from error

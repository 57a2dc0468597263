"""Options of decoding."""

from dataclasses import dataclass, field
from importlib.util import find_spec

DECODERS = ("greedy", "beam")

BEAM_WIDTH = 100
"""Default number of hypotheses kept."""


def default_decoder() -> str:
    """Return "beam" if its library is installed, else "greedy"; the library has builds for the usual machines only."""
    return "beam" if find_spec("ctc_beam_decoder") else "greedy"


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """decoder: one of `DECODERS`. lm: a bundled language model, a file or "none". beam_width: number of hypotheses
    kept. The others: see `DecodingSettings`. None stands for what `asrd tune` found for the model.
    """

    decoder: str = field(default_factory=default_decoder)
    lm: str | None = None
    beam_width: int = BEAM_WIDTH
    lm_weight: float | None = None
    word_bonus: float | None = None
    blank_penalty: float | None = None
    unknown_penalty: float | None = None

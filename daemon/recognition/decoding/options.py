"""Options of decoding."""

from dataclasses import dataclass
from importlib.util import find_spec

from asrd.models.vocabulary import Vocabulary

DECODERS = ("greedy", "beam")

BEAM_WIDTH = 100
"""Default number of hypotheses kept."""


def default_decoder() -> str:
    """Return "beam" if its library is installed, else "greedy"; the library has builds for the usual machines only."""
    return "beam" if find_spec("ctc_beam_decoder") else "greedy"


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """decoder: one of `DECODERS`, or "" for beam search where that is possible; see `chosen_decoder`. lm: a bundled
    language model, a file or "none". beam_width: number of hypotheses kept. The others: see `DecodingSettings`. None
    stands for what `asrd tune` found for the model.
    """

    decoder: str = ""
    lm: str | None = None
    beam_width: int = BEAM_WIDTH
    lm_weight: float | None = None
    word_bonus: float | None = None
    blank_penalty: float | None = None
    unknown_penalty: float | None = None


def unsearchable(vocabulary: Vocabulary) -> str:
    """Return why beam search cannot read a model's letters, or ""."""
    silent = vocabulary.special | {vocabulary.blank, vocabulary.delimiter}
    if vocabulary.delimiter is None:
        return "this model marks no word boundaries, which beam search needs"
    if any(len(token) != 1 for index, token in enumerate(vocabulary.tokens) if index not in silent):
        return "this model spells with more than single letters, which beam search cannot"
    return ""


def chosen_decoder(options: DecoderOptions, vocabulary: Vocabulary) -> str:
    """Return the decoder that is asked for; by default "greedy" where beam search is not installed, or cannot read the
    model's letters and no language model is asked for.
    """
    if not options.decoder and options.lm in (None, "none") and unsearchable(vocabulary):
        return "greedy"
    return options.decoder or default_decoder()

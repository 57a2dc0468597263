"""Make the decoding that the options ask for."""

from dataclasses import fields, replace

from asrd.core.errors import UsageError
from asrd.daemon.recognition.decoding.base import Boosts, Decoder
from asrd.daemon.recognition.decoding.beam import BeamDecoder
from asrd.daemon.recognition.decoding.greedy import GreedyDecoder
from asrd.daemon.recognition.decoding.options import DECODERS, DecoderOptions, chosen_decoder
from asrd.daemon.recognition.decoding.search import Search
from asrd.models import ModelDirectory
from asrd.models.lm import DecodingSettings, resolve


class GreedyDecoding:
    """Greedy decoding, which needs only the model."""

    name, lm = "greedy", "none"

    def __init__(self, model: ModelDirectory) -> None:
        self._model = model

    def begin(self, boosts: Boosts) -> Decoder:
        """Return a greedy decoder; it ignores hot words."""
        return GreedyDecoder(self._model.vocabulary, self._model.geometry.stride, self._model.calibration)


class BeamDecoding:
    """Beam search, if there is a language model or are hot words to search with. Without either, it would only take
    longer to find, nearly always, what greedy decoding finds.
    """

    name = "beam"

    def __init__(self, model: ModelDirectory, search: Search) -> None:
        self._model, self._greedy = model, GreedyDecoding(model)
        self.search = search

    @property
    def lm(self) -> str:
        """Name of its language model, as for `--lm`; "none" without one."""
        return self.search.lm.name if self.search.lm else "none"

    def begin(self, boosts: Boosts) -> Decoder:
        """Return the decoder of an utterance with these hot words."""
        if boosts or self.search.lm:
            return BeamDecoder(self.search, self.search.hot(boosts), self._model)
        return self._greedy.begin(boosts)


def make_decoding(options: DecoderOptions, model: ModelDirectory) -> GreedyDecoding | BeamDecoding:
    """Load what the options need. Raises UsageError, ModelError or MissingExtraError if that fails."""
    decoder = chosen_decoder(options, model.vocabulary)
    if decoder not in DECODERS:
        raise UsageError(f"there is no decoder '{options.decoder}'; there are: {', '.join(DECODERS)}")
    if decoder == "greedy":
        if options.lm not in (None, "none"):
            raise UsageError("greedy decoding uses no language model; add --decoder beam, or leave out --lm")
        return GreedyDecoding(model)
    learned = DecodingSettings.load(model.path)
    given = {field.name: getattr(options, field.name) for field in fields(learned)}
    chosen = replace(learned, **{name: value for name, value in given.items() if value is not None})
    if chosen.lm == "none":  # without a language model, nothing says which letters are worth more than silence
        lm, chosen = None, replace(chosen, blank_penalty=options.blank_penalty or 0.0)
    else:
        lm = resolve(chosen.lm)
    return BeamDecoding(model, Search(model.vocabulary, lm, chosen, options.beam_width))

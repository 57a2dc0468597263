"""By default a model is decoded as well as its letters allow, and none is refused for them."""

from dataclasses import replace

import pytest

from asrd.core.errors import ModelError
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.recognition.decoding import options as decoding_options
from asrd.models import ModelDirectory


def _other(tiny: ModelDirectory, kind: str) -> ModelDirectory:
    """Return the small model with another vocabulary: without word boundaries, or with a token of two letters."""
    vocabulary = tiny.vocabulary
    if kind == "no boundaries":
        changed = replace(vocabulary, delimiter=None)
    else:
        changed = replace(vocabulary, tokens=tuple("TH" if token == "T" else token for token in vocabulary.tokens))
    return replace(tiny, vocabulary=changed)


@pytest.mark.parametrize("kind", ["no boundaries", "long tokens"])
def test_a_model_that_cannot_be_searched_is_decoded_greedily_unless_asked(tiny: ModelDirectory, kind: str) -> None:
    model = _other(tiny, kind)
    assert make_decoding(DecoderOptions(), model).name == "greedy"
    assert make_decoding(DecoderOptions(lm="none"), model).name == "greedy"
    for asked in (DecoderOptions("beam"), DecoderOptions(lm="en")):
        with pytest.raises(ModelError, match=r"this model .*; use --decoder greedy"):
            make_decoding(asked, model)


def test_others_are_searched_where_the_library_is(tiny: ModelDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_decoding(DecoderOptions(lm="none"), tiny).name == "beam"
    monkeypatch.setattr(decoding_options, "find_spec", lambda _: None)
    assert make_decoding(DecoderOptions(lm="none"), tiny).name == "greedy"

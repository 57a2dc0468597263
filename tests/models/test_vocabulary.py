"""Text is written as the checkpoint's tokenizer writes it; a vocabulary that does not fit is refused in one line."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import ModelError
from asrd.core.flow import Hypothesis
from asrd.core.script import join
from asrd.core.units import Samples
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.greedy import GreedyDecoder
from asrd.models.vocabulary import Vocabulary


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "vocab.json").write_text(json.dumps({"<pad>": 0, "|": 1, "A": 2}), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("pad", [None, 0])
def test_the_blank_is_the_pad_token(directory: Path, pad: int | None) -> None:
    assert Vocabulary.load(directory, 3, pad).blank == 0


def test_a_blank_that_the_model_was_not_trained_with(directory: Path) -> None:
    with pytest.raises(ModelError, match=r"config.json says that the blank is output 2, .*vocab.json that it is 0"):
        Vocabulary.load(directory, 3, 2)


@pytest.mark.parametrize("added", [["<s>"], {"one": "<s>"}, {"3": None, "x": {}}, 7])
def test_added_tokens_that_are_not_listed_by_number(directory: Path, added: object) -> None:
    (directory / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added}), encoding="utf-8")
    with pytest.raises(ModelError, match="added_tokens_decoder"):
        Vocabulary.load(directory, 3)


PADS, UNKNOWNS, DELIMITERS = ("<pad>", "[PAD]", "_"), ("<unk>", "[UNK]"), ("|", " ", "▁", "<space>")
CASES = {"upper": "ABCÉΟΣ'", "lower": "abcéοςσ'", "both": "AaBbß", "others": ["中", "国", "ch", "Oʻ", "e̞"]}


@st.composite
def tokenizers(draw: st.DrawFn) -> tuple[list[str], dict[str, object]]:
    """Draw the letters of a vocabulary, and the tokenizer's settings, some of which stay at their defaults. The
    vocabulary may have a blank space in place of the delimiter.
    """
    pad, unknown = draw(st.sampled_from(PADS)), draw(st.sampled_from(UNKNOWNS))
    delimiter = draw(st.sampled_from(DELIMITERS))
    boundary = draw(st.sampled_from([delimiter, " "]))
    letters = draw(st.permutations([pad, unknown, boundary, "<s>", *draw(st.sampled_from([*CASES.values()]))]))
    settings: dict[str, object] = {
        "pad_token": pad,
        "unk_token": unknown,
        "word_delimiter_token": delimiter,
        "do_lower_case": draw(st.booleans()),
        "replace_word_delimiter_char": draw(st.sampled_from([" ", " ", "", "-"])),
    }
    usual = {"pad_token": "<pad>", "unk_token": "<unk>", "word_delimiter_token": "|", "do_lower_case": False}
    return letters, {name: value for name, value in settings.items() if usual.get(name) != value or draw(st.booleans())}


@given(tokenizers(), st.lists(st.integers(0, 20), max_size=40), st.booleans())
def test_text_is_that_of_transformers(
    tokenizer: tuple[list[str], dict[str, object]], chosen: list[int], older: bool
) -> None:
    letters, settings = tokenizer
    with TemporaryDirectory() as place:
        directory = Path(place)
        ids = {letter: index for index, letter in enumerate(letters)}
        (directory / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
        theirs = transformers.Wav2Vec2CTCTokenizer(directory / "vocab.json", **settings)
        if older:
            special = {name: settings.pop(name) for name in ("pad_token", "unk_token") if name in settings}
            (directory / "special_tokens_map.json").write_text(json.dumps(special), encoding="utf-8")
            (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        else:
            theirs.save_pretrained(directory)
        vocabulary = Vocabulary.load(directory, len(letters))
    path = [index % len(letters) for index in chosen]
    expected = theirs.decode(path)
    for silent in ("<s>", theirs.unk_token):  # marks are no text
        expected = expected.replace(silent, "").replace(silent.lower(), "")
    hypothesis = decoded(path, vocabulary)
    assert hypothesis.text == " ".join(expected.split())
    words = [word.text for word in hypothesis.words]
    assert (join(words) if vocabulary.delimiter is None else " ".join(words)) == hypothesis.text


def decoded(path: list[int], vocabulary: Vocabulary) -> Hypothesis:
    """Decode a CTC path greedily, as all text is made."""
    scores = np.full((len(path), len(vocabulary)), -9.0, np.float32)
    scores[np.arange(len(path)), path] = 0.0
    stride = Samples(320)
    frames = Frames(scores, stride * np.arange(len(path)), (Samples(0), Samples(stride * len(path))))
    return GreedyDecoder(vocabulary, stride).decode(frames, len(path), last=True)

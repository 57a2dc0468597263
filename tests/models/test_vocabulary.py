"""A vocabulary that does not fit its model is refused in one line."""

import json
from pathlib import Path

import pytest

from asrd.core.errors import ModelError
from asrd.models.vocabulary import Vocabulary


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "vocab.json").write_text(json.dumps({"<pad>": 0, "|": 1, "A": 2}))
    return tmp_path


@pytest.mark.parametrize("pad", [None, 0])
def test_the_blank_is_the_pad_token(directory: Path, pad: int | None) -> None:
    assert Vocabulary.load(directory, 3, pad).blank == 0


def test_a_blank_that_the_model_was_not_trained_with(directory: Path) -> None:
    with pytest.raises(ModelError, match=r"config.json says that the blank is output 2, .*vocab.json that it is 0"):
        Vocabulary.load(directory, 3, 2)


@pytest.mark.parametrize("added", [["<s>"], {"one": "<s>"}, {"3": None, "x": {}}, 7])
def test_added_tokens_that_are_not_listed_by_number(directory: Path, added: object) -> None:
    (directory / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added}))
    with pytest.raises(ModelError, match="added_tokens_decoder"):
        Vocabulary.load(directory, 3)

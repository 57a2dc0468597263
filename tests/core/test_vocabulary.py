"""Letters have the checkpoint's own names, whatever form its tokenizer was saved in."""

import json
from pathlib import Path

import pytest

from asrd.models import Vocabulary

IDS = {"[PAD]": 3, "a": 0, "b": 1, " ": 2}


def save(path: Path, ids: dict[str, int], **files: object) -> Path:
    (path / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    for name, content in files.items():
        (path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return path


def test_names_and_roles(tmp_path: Path) -> None:
    settings = {"pad_token": "[PAD]", "word_delimiter_token": " ", "unk_token": None}
    vocabulary = Vocabulary.load(save(tmp_path, IDS, tokenizer_config=settings), outputs=4)
    assert vocabulary == Vocabulary(("a", "b", " ", "[PAD]"), blank=3, delimiter=2, special=frozenset())
    assert len(vocabulary) == 4


def test_tokens_may_be_saved_as_objects(tmp_path: Path) -> None:
    save(tmp_path, IDS, special_tokens_map={"pad_token": {"content": "[PAD]", "lstrip": False}})
    assert Vocabulary.load(tmp_path, outputs=4).blank == 3


def test_a_tokenizers_own_settings_outrank_older_files(tmp_path: Path) -> None:
    save(tmp_path, IDS, special_tokens_map={"pad_token": "a"}, tokenizer_config={"pad_token": "[PAD]"})
    assert Vocabulary.load(tmp_path, outputs=4).blank == 3


@pytest.mark.parametrize("outputs", [4, 6])
@pytest.mark.parametrize(
    "added",
    [
        {"added_tokens": {"<s>": 4, "</s>": 5}},
        {"tokenizer_config": {"added_tokens_decoder": {"4": {"content": "<s>"}, "5": {"content": "</s>"}}}},
    ],
)
def test_added_tokens_count_as_far_as_the_model_has_outputs_for_them(
    tmp_path: Path, outputs: int, added: dict[str, object]
) -> None:
    ids = {"<pad>": 0, "|": 1, "A": 2, "B": 3}
    vocabulary = Vocabulary.load(save(tmp_path, ids, **added), outputs)
    assert len(vocabulary) == outputs
    assert vocabulary.special == frozenset(range(4, outputs))


def test_a_model_without_a_word_boundary(tmp_path: Path) -> None:
    assert Vocabulary.load(save(tmp_path, {"<pad>": 0, "A": 1}), outputs=2).delimiter is None


@pytest.mark.parametrize(
    ("written", "tokens", "delimiter", "special"),
    [
        (" ", "_|A", 1, set()),
        ("", "_|A", None, {1}),
        (None, "_|A", None, {1}),
        ("-", "_-A", None, set()),
    ],
)
def test_what_is_written_for_the_word_boundary(
    tmp_path: Path, written: str | None, tokens: str, delimiter: int | None, special: set[int]
) -> None:
    """Where nothing is written there are no words to tell apart, and another letter is a letter."""
    settings = {"pad_token": "_", "replace_word_delimiter_char": written}
    save(tmp_path, {"_": 0, "|": 1, "A": 2}, tokenizer_config=settings)
    expected = Vocabulary(tuple(tokens), blank=0, delimiter=delimiter, special=frozenset(special))
    assert Vocabulary.load(tmp_path, outputs=3) == expected


def test_lower_case_is_that_of_the_whole_word(tmp_path: Path) -> None:
    save(tmp_path, {"<pad>": 0, "Ο": 1, "Σ": 2}, tokenizer_config={"do_lower_case": True})
    assert Vocabulary.load(tmp_path, outputs=3).spell([2, 1, 2]) == "σος"


def test_a_tokenizer_without_a_pad_token_has_the_models_blank(tmp_path: Path) -> None:
    save(tmp_path, {"_": 1, "A": 0}, tokenizer_config={"pad_token": None})
    assert Vocabulary.load(tmp_path, outputs=2, pad=1).blank == 1


def test_other_special_tokens_are_no_text(tmp_path: Path) -> None:
    settings = {"additional_special_tokens": ["[MASK]", {"content": "[X]"}]}
    save(tmp_path, {"<pad>": 0, "[MASK]": 1, "[X]": 2, "A": 3}, tokenizer_config=settings)
    assert Vocabulary.load(tmp_path, outputs=4).special == {1, 2}


def test_letters_outrank_what_was_added_under_the_same_number(tmp_path: Path) -> None:
    added = {"added_tokens_decoder": {"1": {"content": "tz"}, "2": {"content": "</s>"}}}
    save(tmp_path, {"<pad>": 0, "A": 1}, tokenizer_config=added)
    assert Vocabulary.load(tmp_path, outputs=3).tokens == ("<pad>", "A", "</s>")

"""Spaces, widths and full stops of scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.script import ends, join, pieces, stop, width

WORDS = st.lists(st.text("ab'你好カー가ก", min_size=1, max_size=5), max_size=12)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["so", "it", "is"], "so it is"),
        (["你", "好"], "你好"),
        (["カ", "ー", "ド"], "カード"),
        (["안녕", "하세요"], "안녕 하세요"),
        (["ok", "你", "好", "ok"], "ok你好ok"),
    ],
)
def test_join(words: list[str], text: str) -> None:
    assert join(words) == text


@given(WORDS)
def test_pieces_are_the_word(words: list[str]) -> None:
    for word in words:
        assert "".join(pieces(word)) == word


@given(WORDS, st.booleans())
def test_words_are_found_in_their_text(words: list[str], spaced: bool) -> None:
    text = " ".join(words) if spaced else join(words)
    found = [*ends(words, text)]
    assert [text[end - len(word) : end] for word, end in zip(words, found, strict=True)] == words
    assert found == sorted(found)
    assert not words or found[-1] == len(text)


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("你好", 4), ("e\u0301", 1), ("カ", 2), ("ｶ", 1)])
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("word", "mark"),
    [("so", "."), ("so?", ""), ("好", "。"), ("好。", ""), ("23", "."), ("दुनिया", "।"), ("ครับ", ""), ("", ".")],
)
def test_stop(word: str, mark: str) -> None:
    assert stop(word) == mark

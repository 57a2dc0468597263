"""Spaces, widths and full stops of scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.script import join, pieces, settled, stop, width

WORDS = st.lists(st.text("ab'你好カー가ก", min_size=1, max_size=5), max_size=12)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["so", "it", "is"], "so it is"),
        (["你", "好"], "你好"),
        (["カ", "ー", "ド"], "カード"),
        (["안녕", "하세요"], "안녕 하세요"),
        (["ok", "你", "好", "ok"], "ok 你好 ok"),
    ],
)
def test_join(words: list[str], text: str) -> None:
    assert join(words) == text


@given(WORDS)
def test_pieces_are_the_word(words: list[str]) -> None:
    for word in words:
        assert "".join(pieces(word)) == word


@given(WORDS, st.integers(0, 80))
def test_what_is_settled_lies_within_the_text(words: list[str], length: int) -> None:
    count = settled(words, length)
    assert len(join(words[:count])) <= length
    assert count == len(words) or len(join(words[: count + 1])) > length
    assert join(words).startswith(join(words[:count]))


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("你好", 4), ("e\u0301", 1), ("カ", 2), ("ｶ", 1)])
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("word", "mark"),
    [("so", "."), ("so?", ""), ("好", "。"), ("好。", ""), ("23", "."), ("दुनिया", "।"), ("ครับ", ""), ("", ".")],
)
def test_stop(word: str, mark: str) -> None:
    assert stop(word) == mark

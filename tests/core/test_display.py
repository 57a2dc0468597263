"""Text cannot control a terminal or forge lines."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from asrd.core.display import shown

OVERRIDES = {"RLE", "LRE", "PDF", "RLO", "LRO", "RLI", "LRI", "FSI", "PDI"}


@given(st.text(st.characters(codec=None)))
def test_nothing_that_is_shown_controls(text: str) -> None:
    result = shown(text)
    assert not [one for one in result if unicodedata.category(one) in ("Cc", "Zl", "Zp")]
    assert not [one for one in result if unicodedata.bidirectional(one) in OVERRIDES]
    assert len(result.splitlines()) <= 1
    assert shown(result) == result


@given(st.text())
def test_json_means_the_same(text: str) -> None:
    assert json.loads(shown(json.dumps(text, ensure_ascii=False))) == text


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_ordinary_text_stays(text: str) -> None:
    assert shown(text) == text


def test_some_can_be_kept() -> None:
    assert shown("one\n\ttwo\x1b[2J", keep="\n\t") == "one\n\ttwo\\u001b[2J"

"""One rule normalises texts, whatever the model's own case and alphabet."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.models import Vocabulary
from asrd.quant.data.text import normalize_text, unspellable


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("  Don’t—stop, 24_7! ", "DON'T STOP 24 7"),
        ("Straße\tné\nNE\u0301", "STRASSE NÉ NÉ"),
        ("हिन्दी में", "हिन्दी में"),
        ("… — !", ""),
    ],
)
def test_the_rule(written: str, compared: str) -> None:
    assert normalize_text(written) == compared


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_what_is_compared_is_words_in_upper_case_alone(text: str) -> None:
    compared = normalize_text(text)
    assert normalize_text(compared) == compared
    assert normalize_text(text.swapcase()) == compared or any(letter in text for letter in "ßµªº¼½¾¹²³ÿ")
    assert all(letter in " '" or unicodedata.category(letter)[0] in "LMN" for letter in compared)
    assert compared == " ".join(compared.split())


FORMATS = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf"]


@given(st.text(), st.text(), st.sampled_from(FORMATS))
def test_characters_that_only_format_split_no_words(before: str, after: str, formats: str) -> None:
    """Joiners, soft hyphens, marks of byte order and of direction; also the zero-width space."""
    assert normalize_text(before + formats + after) == normalize_text(before + after)


@pytest.mark.parametrize("formats", ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u202a"])
def test_words_are_joined_across_each(formats: str) -> None:
    assert formats in FORMATS
    assert normalize_text(f"{formats}co{formats}operate{formats} {formats}e{formats}\u0301") == "COOPERATE É"


def vocabulary(*letters: str) -> Vocabulary:
    return Vocabulary(("<pad>", "<unk>", "|", *letters), blank=0, delimiter=2, special=frozenset({1}))


@pytest.mark.parametrize("letters", ["abcde'", "ABCDE'"])
def test_letters_a_model_lacks_are_counted_whatever_its_case(letters: str) -> None:
    texts = ["Bad café, ça", "CAÑA caña ñ"]
    assert unspellable(texts, vocabulary(*letters)) == {"Ñ": 3, "F": 1, "É": 1, "Ç": 1}


def test_names_of_special_tokens_spell_nothing() -> None:
    assert unspellable(["pad unk"], vocabulary("a")) == {"P": 1, "D": 1, "U": 1, "N": 1, "K": 1}


def test_a_model_can_spell_its_own_words(tmp_path: Path) -> None:
    assert unspellable(["no one"], vocabulary("no", "ne", "o")) == {}

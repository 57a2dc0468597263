"""Text for people gets case, sentences, names and numbers; the words themselves never change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.clients.text import Style, Writer, join, sentences
from asrd.core.events import WireWord


def spoken(text: str, pause_after: str = "") -> list[WireWord]:
    """Make a word every 0.4 s, with 0.1 s between them, and a second of silence after `pause_after`."""
    words, position = [], 0
    for word in text.split():
        words.append(WireWord(word, position, position + 4800, 1.0))
        position += 6400 + 16_000 * (word == pause_after)
    return words


def written(text: str, pause_after: str = "", **style: object) -> str:
    return join(sentences(spoken(text, pause_after), Style(**{"language": "en", **style})))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        ("", ""),
        ("HELLO", "Hello."),
        ("WELL I'M SURE I SAID SO ON MONDAY", "Well I'm sure I said so on Monday."),
        ("'TIS SO", "'Tis so."),
        ("hello there", "Hello there."),
        ("Guten Tag mein Freund", "Guten Tag mein Freund."),
        ("is it so?", "Is it so?"),
    ],
)
def test_case_and_full_stops(heard: str, text: str) -> None:
    assert written(heard) == text


def test_a_pause_ends_a_sentence() -> None:
    assert written("HE CAME HE SAW", pause_after="CAME") == "He came. He saw."
    assert written("HE CAME HE SAW", pause_after="CAME", pause=32_000) == "He came he saw."


def test_raw_text_is_what_the_model_wrote() -> None:
    assert written("HE CAME TWENTY THREE", pause_after="CAME", raw=True, numbers=True) == "HE CAME TWENTY THREE"


def test_names_are_written_as_asked() -> None:
    names = ("Saoirse", "New York", "iPhone")
    assert written("SAOIRSE IN NEW YORK HAS A NEW IPHONE", spellings=names) == "Saoirse in New York has a new iPhone."
    assert written("IPHONE", spellings=names) == "iPhone."


def test_hot_words_are_names_where_they_have_a_case() -> None:
    assert Style(spellings=("iPhone",)).naming(["Saoirse", "kubernetes", "NATO"]).spellings == ("Saoirse", "iPhone")


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        ("TWENTY THREE APPLES", "23 apples."),
        ("THREE POINT ONE FOUR", "3.14."),
        ("IN NINETEEN EIGHTY FOUR", "In 1984."),
        ("IN NINETEEN OH FIVE", "In 1905."),
        ("IN TWO THOUSAND AND SIX", "In 2006."),
        ("CALL FIVE FIVE FIVE OH ONE TWO THREE", "Call 5550123."),
        ("ONE TWO THREE", "1 2 3."),
        ("ELEVEN TWELVE", "11 12."),
        ("THE TWENTY FIRST DAY", "The 21st day."),
        ("NO ONE OH MY", "No one oh my."),
    ],
)
def test_numbers_in_digits_when_asked(heard: str, text: str) -> None:
    assert written(heard, numbers=True) == text
    assert written(heard) == heard.capitalize() + "."


def test_a_number_lasts_as_long_as_its_words() -> None:
    [[number, apples]] = sentences(spoken("TWENTY THREE APPLES"), Style(numbers=True, language="en"))
    assert (number.start, number.end, apples.start) == (0, 11_200, 12_800)


def test_an_utterance_cut_for_its_length_is_gone_on_with() -> None:
    writer = Writer(Style())
    said = [writer.utterance(spoken(text), reason) for text, reason in (("HE IS", "length"), ("", "length"))]
    assert [join(one) for one in said] == ["He is", ""]
    assert writer.partial(spoken("A YOUNG MAN"), "A YOUNG MAN", stable=8) == ("a young", "man")
    assert join(writer.utterance(spoken("A YOUNG MAN"), "silence")) == "a young man."
    assert join(writer.utterance(spoken("YES"), "silence")) == "Yes."


@given(st.lists(st.text("ABCI'", min_size=1, max_size=8), max_size=30), st.integers(0, 200), st.booleans())
def test_letters_are_kept_and_a_partial_is_its_text(words: list[str], stable: int, raw: bool) -> None:
    heard = spoken(" ".join(words))
    text = join(sentences(heard, Style(raw=raw)))
    assert text.upper().rstrip(".") == " ".join(words)
    settled, rest = Writer(Style(raw=raw)).partial(heard, " ".join(words), stable)
    assert f"{settled} {rest}".strip() == text.rstrip(".")
    assert len(settled) <= stable


@pytest.mark.parametrize(
    ("language", "heard", "text"),
    [
        ("", "i say on monday", "I say on monday."),
        ("it", "tutti i giorni", "Tutti i giorni."),
        ("ita", "ho ventitré anni", "Ho 23 anni."),
        ("de", "ich habe dreiundzwanzig äpfel", "Ich habe 23 äpfel."),
        ("fr", "élise a vingt ans", "Élise a 20 ans."),
        ("kat", "გამარჯობა მეგობარო", "გამარჯობა მეგობარო."),
        ("zh", "你 好 世 界", "你好世界。"),
        ("ja", "はい コーヒー です", "はいコーヒーです。"),
        ("ko", "안녕 하세요", "안녕 하세요."),
        ("hi", "नमस्ते दुनिया", "नमस्ते दुनिया।"),
        ("th", "สวัสดี ครับ", "สวัสดี ครับ"),
        ("hrv", "ǆep", "ǅep."),
        ("pl", "dwadzieścia trzy", "Dwadzieścia trzy."),
        ("en-GB", "twenty three on monday", "23 on Monday."),
    ],
)
def test_each_language_has_its_own_rules(language: str, heard: str, text: str) -> None:
    """No rule of English holds elsewhere, and what no rule is known for stays as it is."""
    assert written(heard, language=language, numbers=True) == text


def test_a_style_has_the_model_s_language_unless_it_has_one() -> None:
    assert Style().spoken("de").language == "de"
    assert Style(language="it").spoken("de").language == "it"


@given(st.lists(st.text("ab你好カ", min_size=1, max_size=4), max_size=12), st.integers(0, 60))
def test_a_partial_in_a_script_without_spaces_is_its_text(words: list[str], stable: int) -> None:
    heard = spoken(" ".join(words))
    settled, rest = Writer(Style(raw=True)).partial(heard, " ".join(words), stable)
    whole = join(sentences(heard, Style(raw=True)))
    assert whole.startswith(settled)
    assert whole.endswith(rest)
    assert len(whole) - len(settled) - len(rest) in (0, 1)

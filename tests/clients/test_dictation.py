"""What is typed is what would have been typed had nobody said what was scratched."""

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.clients.dictation.dictation import Change, Dictation
from asrd.clients.dictation.table import Command, Table
from asrd.core.errors import UsageError
from asrd.core.events import WireWord
from asrd.core.writing.style import Style

from .said import final, partial, spoken

NOWHERE = Path("/nonexistent/dictation.toml")
BEFORE = "what was there "
"""Text before the cursor that is not to be touched."""


def table(folder: Path, rows: str) -> Table:
    path = folder / "dictation.toml"
    path.write_text(rows, encoding="utf-8")
    return Table(path)


class Window:
    """A window, with a cursor at the end of its text."""

    def __init__(self) -> None:
        self.text = BEFORE

    def apply(self, change: Change) -> str:
        assert change.delete <= len(self.text) - len(BEFORE)
        self.text = self.text[: len(self.text) - change.delete] + change.text
        return self.text.removeprefix(BEFORE)


def typed(utterances: Iterable[str], table: Table | None = None, *, pause_after: str = "", **style: object) -> str:
    """Return what the utterances type, one after the other."""
    dictation = Dictation(table or Table(NOWHERE), Style(**{"language": "en", **style}))  # type: ignore[arg-type]
    window, text = Window(), ""
    for said in utterances:
        text = window.apply(dictation.final(final(spoken(said, pause_after))))
    return text


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (["HELLO COMMA NEW LINE HOW ARE YOU QUESTION MARK"], "Hello,\nHow are you?"),
        (["hello", "comma", "new line", "how are you", "question mark"], "Hello,\nHow are you?"),
        (["he said open quote yes full stop close quote so i left"], 'He said "yes." So I left'),
        (["open bracket one close bracket comma two"], "(One), two"),
        (["a well hyphen known dash and short dash story"], "A well-known – and short – story"),
        (["all caps nato and cap bob", "no space by"], "NATO and Bobby"),
        (["cap", "bob was here all caps", "now"], "Bob was here NOW"),
        (["the word literal comma and literal full stop"], "The word comma and full stop"),
        (["in a literal", "sense"], "In a literal sense"),
        (["yes period", "scratch that", "no period"], "No."),
        (["one two", "three four scratch that", "five"], "One two five"),
        (["one", "two", "scratch that scratch that three"], "Three"),
        (["one", "two comma", "scratch that"], "One"),
        (["one", "no space", "scratch that"], ""),
        (["scratch that", "scratch that"], ""),
        (["comma new paragraph"], ",\n\n"),
        (["twenty three period four"], "Twenty three. Four"),
    ],
)
def test_spaces_and_capitals_come_out_right(said: list[str], text: str) -> None:
    assert typed(said) == text


def test_text_follows_the_style() -> None:
    assert typed(["twenty three on monday comma saoirse"], numbers=True, spellings=("Saoirse",)) == (
        "23 on Monday, Saoirse"
    )
    assert typed(["hello comma", "HELLO"], raw=True) == "hello comma HELLO"


@pytest.mark.parametrize(
    ("language", "said", "text"),
    [
        ("ka", "გამარჯობა მეგობარო", "გამარჯობა მეგობარო."),
        ("zh", "你 好 世 界", "你好世界。"),
        ("de", "das ist ein punkt", "Das ist ein punkt."),
        ("", "comma", "Comma."),
    ],
)
def test_pauses_end_sentences_where_the_speaker_does_not(language: str, said: str, text: str) -> None:
    assert typed([said], language=language) == text
    assert typed([said, said], language=language) in (f"{text} {text}", text * 2)


def test_a_sentence_is_cut_where_the_speaker_paused(tmp_path: Path) -> None:
    german = table(tmp_path, '[de]\n"neue zeile" = "\\n"\n')
    assert typed(["er kam er sah neue zeile er ging"], german, pause_after="kam", language="de") == (
        "Er kam. Er sah\nEr ging."
    )
    dictation = Dictation(german, Style(language="de"))
    changes = [dictation.final(final(spoken(said), reason)) for said, reason in (("er", "length"), ("kam", "silence"))]
    assert [change.text for change in changes] == ["Er", " kam."]


def test_phrases_of_a_script_without_spaces(tmp_path: Path) -> None:
    chinese = table(tmp_path, '[zh]\n"逗号" = "，"\n"句号" = "。"\n')
    assert typed(["你 好 逗 号 世 界 句 号", "好"], chinese, language="zh") == "你好，世界。好"


def test_a_table_of_the_user_s_adds_and_overrides(tmp_path: Path) -> None:
    own = table(
        tmp_path,
        r"""
        "Smiley  Face" = " :-) "
        comma = ";"
        [en]
        "period" = false
        "full stop" = "\u2024 "
        "undo" = { do = "scratch" }
        [de]
        "komma" = ", "
        """,
    )
    assert typed(["a smiley face b comma", "period", "c", "undo", "full stop komma"], own) == "A :-) b;period․ komma"
    assert typed(["ja comma komma smiley face"], own, language="deu") == "Ja;, :-)"
    assert {row.phrase for row in own if row.own} == {
        *("smiley face", "comma", "period", "full stop", "undo", "komma"),
    }


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("comma = 3", "'comma' must be printable text to type, "),
        ('comma = "\\u001b[2J"', "'comma' must be printable text to type, "),
        ("[en]\ncomma = true", "'comma' must be printable text to type, "),
        ('[en]\nundo = { do = "scratched" }', "'undo' cannot do 'scratched'; the nearest: scratch"),
        ('" " = "x"', "a phrase has no words"),
        ('"comma = ","', "cannot be read: "),
    ],
)
def test_a_row_that_cannot_be_is_told(tmp_path: Path, rows: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        table(tmp_path, rows)
    assert f"{tmp_path}/dictation.toml" in str(caught.value)
    assert complaint in str(caught.value)


def test_control_characters_are_typed_as_escapes() -> None:
    """Words come from a model, perhaps of another machine."""
    word = WireWord("a\x1b\nb", 0, 4800, 1.0)
    change = Dictation(Table(NOWHERE), Style()).final(final((word,)))
    assert change == Change(0, r"A\u001b\u000ab.")


SCRATCH = "scratch that"
PHRASES = [row.phrase for row in Table(NOWHERE) if row.action is not Command.SCRATCH]
WORDS = ["hello", "I", "é", "e\u0301", "straße", "მე", "中", "m\u0303", "cap", "new", "scratch", "2", "🙂"]
utterance = st.lists(st.sampled_from([*WORDS, *PHRASES]), max_size=6).map(" ".join)
said = st.lists(st.one_of(utterance, st.just(SCRATCH)), max_size=8)


@given(said)
def test_nothing_is_left_of_what_was_scratched(said: Sequence[str]) -> None:
    """An utterance that types nothing visible goes with the one before it."""
    left: list[str] = []
    for one in said:
        if one != SCRATCH:
            left.append(one)
            continue
        while left and typed(left) == typed(left[:-1]):
            left.pop()
        left = left[:-1]
    assert typed(said) == typed(left)


@given(said, st.data())
def test_what_is_typed_early_ends_alike(said: Sequence[str], data: st.DataObject) -> None:
    """Also where streams take turns, and a partial never gets its final."""
    dictation, window, text = Dictation(Table(NOWHERE), Style(language="en")), Window(), ""
    for one in said:
        words = spoken(one)
        for early in data.draw(
            st.lists(st.tuples(st.sampled_from([one, "other words"]), st.integers(0, 60)), max_size=3)
        ):
            window.apply(dictation.partial(partial(spoken(early[0]), early[1])))
        text = window.apply(dictation.final(final(words)))
    assert text == typed(said)


@given(said)
def test_text_is_composed_and_its_spaces_are_single(said: Sequence[str]) -> None:
    text = typed(said)
    assert "  " not in text
    assert "e\u0301" not in text
    assert " \n" not in text
    assert "\n " not in text
    assert not text.endswith(" ")


def test_literal_types_the_words_of_any_phrase() -> None:
    words = {"literal " + " literal ".join(phrase.split()): phrase for phrase in PHRASES}
    for (said, phrase), end in product(words.items(), ["", " x"]):
        assert typed([f"x {said}{end}"]) == f"X {phrase}{end}"

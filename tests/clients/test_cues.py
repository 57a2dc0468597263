"""Subtitles follow the conventions, whatever was said and however fast."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asrd.clients.captions import Captions
from asrd.clients.cues import GAP, LATE, LINGER, LONGEST, READING, SHORTEST, Cue, Layout
from asrd.clients.wrap import WIDTH, chop
from asrd.core.events import WireWord
from asrd.core.script import width
from asrd.core.units import SAMPLE_RATE
from asrd.core.writing.sentences import Token, sentences
from asrd.core.writing.style import Style
from asrd.core.writing.writer import Writer

Utterances = list[list[WireWord]]
MILLISECOND = SAMPLE_RATE // 1000


def lay_out(*utterances: list[WireWord]) -> list[tuple[list[Cue], list[list[Token]]]]:
    layout, result = Layout(), []
    for words in utterances:
        said = sentences(words, Style())
        result.append((layout.add(said), said))
    return result


def spread(letters: list[str], seconds: float, start: int = 0) -> list[WireWord]:
    step = round(seconds * SAMPLE_RATE / max(1, len(letters)))
    return [WireWord(word, start + index * step, start + (index + 1) * step, 1.0) for index, word in enumerate(letters)]


def timed(laid: list[tuple[list[Cue], list[list[Token]]]]) -> Iterator[tuple[Cue, int, int]]:
    """Yield each cue with the time of its first word and of the next cue's first word, or its own last word where there
    is none.
    """
    for cues, said in laid:
        tokens = [token for sentence in said for token in chop(sentence)]
        for cue in cues:
            count = len(" ".join(cue.lines).split())
            shown, tokens = tokens[:count], tokens[count:]
            yield cue, shown[0].start, tokens[0].start if tokens else shown[-1].end


@st.composite
def speech(draw: st.DrawFn, shortest: int = 0) -> Utterances:
    """Generate utterances of words of any length, at any speed, with any pauses. shortest: fewest samples of a word."""
    position, utterances = 0, []
    word = st.tuples(st.integers(1, 60), st.integers(shortest, 3 * SAMPLE_RATE), st.integers(0, SAMPLE_RATE))
    for spoken in draw(st.lists(st.lists(word, max_size=40), max_size=4)):
        words = []
        for size, length, pause in spoken:
            words.append(WireWord("A" * size, position, position + length, 1.0))
            position += length + pause
        utterances.append(words)
    return utterances


@given(speech())
@example([[WireWord("A" * 60, 0, 8000, 1.0)]])
@example([[WireWord("A" * 300, 0, 8000, 1.0)]])
@example([[WireWord("WORD", 800, 800, 1.0)] * 40, [WireWord("WORD", 800, 800, 1.0)] * 40])
@example([spread(["WORD"] * 500, 5.0), spread(["AND"] * 3, 1.0, 6 * SAMPLE_RATE)])
@example([[WireWord("SLOW", 0, 20 * SAMPLE_RATE, 1.0), WireWord("WORDS", 20 * SAMPLE_RATE, 30 * SAMPLE_RATE, 1.0)]])
def test_conventions_hold_for_any_speech(utterances: Utterances) -> None:
    laid = lay_out(*utterances)
    cues = [cue for some, _ in laid for cue in some]
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < len(line) <= WIDTH for line in cue.lines)
        assert 0 < cue.end - cue.start <= LONGEST
        assert cue.start % MILLISECOND == cue.end % MILLISECOND == 0
    for cue, following in pairwise(cues):
        assert cue.end + GAP <= following.start
    for some, said in laid:
        text = " ".join(line for cue in some for line in cue.lines)
        assert re.sub("- ", "", text) == " ".join(token.text for sentence in said for token in sentence)


@given(speech())
def test_the_time_to_read_yields_to_nothing_but_lateness(utterances: Utterances) -> None:
    """A cue is shorter only where the next one would otherwise start too long after its own first word."""
    for cue, _, following in timed(lay_out(*utterances)):
        wanted = max(SHORTEST, len(" ".join(cue.lines)) * SAMPLE_RATE / READING)
        assert cue.end - cue.start >= wanted or cue.end + GAP >= following + LATE


SHORT = SAMPLE_RATE // 5
"""Length of each word: those of any two cues are then said far enough apart for both to be shown."""


@given(speech(SHORT))
@example([spread(["A" * 9] * 8, 3.6, 4 * SAMPLE_RATE * number) for number in range(50)])  # 22 characters per second
@example([spread(["SEVEN"], 0.35, SAMPLE_RATE * 3 // 4 * number) for number in range(100)])
@example([spread(["WORD"] * 10, 2.0, 2 * SAMPLE_RATE * number) for number in range(50)])
def test_cues_never_fall_behind_further(utterances: Utterances) -> None:
    for cue, first, _ in timed(lay_out(*utterances)):
        assert 0 <= cue.start - first <= LATE + MILLISECOND


@given(st.lists(st.integers(1, 12), min_size=1, max_size=80), st.floats(6, READING - 3))
def test_at_the_pace_of_speech_cues_are_in_time_and_can_be_read(sizes: list[int], pace: float) -> None:
    letters = ["A" * size for size in sizes]
    words = spread(letters, max(2.0, len(" ".join(letters)) / pace))
    [(cues, _)] = lay_out(words)
    starts = {word.start for word in words}
    for cue in cues:
        assert len(" ".join(cue.lines)) * SAMPLE_RATE <= READING * (cue.end - cue.start) + READING * MILLISECOND
        assert any(
            -MILLISECOND < start - cue.start <= MILLISECOND or 0 <= cue.start - start <= LATE for start in starts
        )
    assert cues[-1].end <= max(words[-1].end + LINGER + MILLISECOND, cues[-1].start + SHORTEST) + LATE


def test_lines_are_balanced_and_broken_where_it_does_no_harm() -> None:
    text = "TO CONSIDER HOW MUCH THERE MIGHT BE PRUDENTLY IN HIS POWER TO DO FOR THEM"
    [(cues, _)] = lay_out(spread(text.split(), 5.0))
    assert [cue.lines for cue in cues] == [
        ("To consider how much there might be", "prudently in his power to do for them.")
    ]


def test_a_long_sentence_is_cut_where_the_speaker_breathes() -> None:
    first, rest = ["ONE"] * 12, ["TWO"] * 14
    words = [*spread(first, 4.0), *spread(rest, 5.0, round(4.3 * SAMPLE_RATE))]
    [(cues, _)] = lay_out(words)
    assert [re.sub(r"\W", "", "".join(cue.lines)).lower() for cue in cues] == ["one" * 12, "two" * 14]


def test_letters_without_spaces_fill_their_columns() -> None:
    """They are twice as wide as Latin ones, and lines break between any two of them, without hyphens."""
    letters = ["不", "天", "的"] * 30
    [(cues, _)] = lay_out([WireWord("".join(letters), 0, 16 * SAMPLE_RATE, 1.0)])
    lines = [line for cue in cues for line in cue.lines]
    assert "".join(lines) == "".join(letters) + "。"
    assert max(map(width, lines)) <= WIDTH
    assert {line.isascii() or "-" in line or " " in line for line in lines} == {False}


def test_no_cue_spans_a_pause() -> None:
    [(cues, _)] = lay_out([*spread(["YES"], 0.4), *spread(["NO"], 0.4, 20_000)])
    assert [(cue.start, cue.lines) for cue in cues] == [(0, ("Yes.",)), (20_000, ("No.",))]


@pytest.mark.parametrize(("format_", "stamp"), [("srt", "00:00:01,250"), ("vtt", "00:00:01.250")])
def test_files_count_on_from_utterance_to_utterance(format_: str, stamp: str) -> None:
    captions, writer = Captions(format_), Writer()
    words = ([WireWord("A<B", 0, 8000, 1.0)], "length"), ([WireWord("C", 20_000, 24_000, 1.0)], "end")
    cues = [cue for one in words for cue in captions.add(writer.sentences(*one))]
    assert [cue.splitlines()[-1] for cue in cues] == ["A&lt;b" if format_ == "vtt" else "A<b", "c."]
    assert f"{stamp} --> " in cues[1]
    assert cues[1].startswith("2\n") == (format_ == "srt")
    assert captions.header == ("WEBVTT\n" if format_ == "vtt" else "")

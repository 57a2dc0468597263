"""A reader shows what the daemon displays, unless another style is wished or an older daemon displays nothing."""

import pytest
from msgspec.structs import replace

from asrd.clients import Reader, Style, Writer
from asrd.core.events import Final, Partial, Status, Timestamps, WireWord

STAGES = Timestamps(heard=1.0, cut=2.0, started=3.0, recognized=4.0)
TEXT = "I SAW SAOIRSE TWENTY THREE"
WORDS = tuple(WireWord(word, 10 * at, 10 * at + 9, 0.5) for at, word in enumerate(TEXT.split()))
SAID = {"utterance": 0, "start": 0, "end": 99, "text": TEXT, "words": WORDS, "backend": "int8", "stages": STAGES}
PARTIAL = Partial(**SAID, stable=len("I SAW SAOIRSE TW"), display="I saw Saoirse 23", display_stable=5)
FINAL = Final(**SAID, speech_end=98, confidence=0.5, reason="silence", display="I saw Saoirse 23.")
STYLE = Style(numbers=True, spellings=("Niamh",), language="en", capitals=True)
STATUS = Status(
    **dict.fromkeys(("version", "backend", "arithmetic", "model"), ""),
    **dict.fromkeys(("pid", "uptime", "audio_seconds", "inference_seconds", "peak_memory"), 0),
    streams={},
    language="en",
    words=("Saoirse",),
    style=STYLE,
)
OLDER = replace(STATUS, style=None)


@pytest.mark.parametrize("status", [None, STATUS, OLDER])
def test_what_the_daemon_displays_is_shown(status: Status | None) -> None:
    reader = Reader()
    reader.see(status)
    assert (reader.partial(PARTIAL), reader.final(FINAL)) == (("I saw Saoirse 23", 5), "I saw Saoirse 23.")
    assert (reader.written(PARTIAL), reader.written(FINAL), reader.written(STATUS)) == (PARTIAL, FINAL, STATUS)


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        ({"numbers": False}, "I saw Saoirse twenty three."),
        ({"spellings": ("SAW",)}, "I SAW Saoirse 23."),
        ({"language": "it"}, "I saw Saoirse twenty three."),
        ({"raw": True}, TEXT),
    ],
)
def test_a_wish_changes_that_alone(wish: dict[str, object], shown: str) -> None:
    """Everything else is as the daemon has it."""
    reader = Reader(**wish)
    reader.see(STATUS)
    assert reader.final(FINAL) == shown
    assert reader.partial(PARTIAL)[0] == shown.rstrip(".")
    assert reader.written(FINAL) == replace(FINAL, display=shown)


def test_where_an_older_daemon_displays_nothing_it_is_made_here() -> None:
    reader = Reader()
    reader.see(OLDER)
    partial, final = replace(PARTIAL, display="", display_stable=0), replace(FINAL, display="")
    assert reader.partial(partial) == ("I saw Saoirse twenty three", len("I saw Saoirse"))
    assert reader.final(final) == "I saw Saoirse twenty three."


def test_subtitles_have_the_daemon_s_style() -> None:
    """And a stream's sentences are its own, whichever way they are read."""
    reader = Reader()
    reader.see(STATUS)
    one = replace(FINAL, reason="length", stream="a")
    texts = [token.text for sentence in reader.sentences("a", one.words, one.reason) for token in sentence]
    assert texts == ["I", "saw", "Saoirse", "23"]
    yes = (WireWord("YES", 0, 9, 0.5),)
    made = [reader.final(replace(FINAL, stream=stream, words=yes, text="YES", display="")) for stream in "ab"]
    assert made == ["yes.", "Yes."]


def test_a_writer_needs_no_daemon() -> None:
    assert Writer(Style(numbers=True, language="en")).final(WORDS, "silence") == "I saw saoirse 23."
    assert Writer().final(WORDS, "silence") == "I saw saoirse twenty three."

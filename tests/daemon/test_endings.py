"""What a crash left open is ended: with what would not have changed, and a gap for what was not heard."""

import msgspec

from asrd.core.events import Final, Gap, Partial, Started, Timestamps, WireWord
from asrd.core.writing.style import Style
from asrd.daemon.journal.changes import Heard
from asrd.daemon.server.crash import endings

STAGES = Timestamps(heard=1.0, cut=2.0, started=3.0, recognized=4.0)


def partial(number: int, start: int, words: str, stable: int) -> Partial:
    """Each word lasts 100 samples; the hypothesis reaches 50 samples further."""
    said = tuple(
        WireWord(word, start + 100 * index, start + 100 * (index + 1), 0.5) for index, word in enumerate(words.split())
    )
    end = start + 100 * len(said) + 50
    return Partial(
        utterance=number,
        start=start,
        end=end,
        text=words,
        stable=stable,
        words=said,
        backend="int8",
        stages=STAGES,
        daemon="d",
    )


def summary(found: list[tuple[str, Gap | Final]]) -> list[tuple[object, ...]]:
    assert {daemon for daemon, _ in found} == {"d"}
    return [
        (event.start, event.end) if isinstance(event, Gap) else (event.utterance, event.text, event.end, event.reason)
        for _, event in found
    ]


def test_only_whole_words_that_are_stable_are_kept_and_the_rest_is_a_gap() -> None:
    known = partial(3, 1000, "one two three", stable=len("one tw"))
    assert summary(list(endings([known], Heard("d", 5000), Style()))) == [(1100, 5000), (3, "one", 5000, "crash")]
    [_, (_, final)] = endings([known], Heard("d", 5000), Style())
    assert isinstance(final, Final)
    assert (final.speech_end, final.confidence, final.stages) == (1100, 0.5, STAGES)


def test_what_was_shown_to_stay_stays_whatever_the_style_is_now() -> None:
    known = msgspec.structs.replace(partial(3, 1000, "ONE TWO THREE", stable=13), display="1 2 3", display_stable=3)
    for style, display in [(Style(numbers=True, language="en"), "1 2 3."), (Style(), "1 2")]:
        [*_, (_, final)] = endings([known], None, style)
        assert isinstance(final, Final)
        assert (final.text, final.display) == ("ONE TWO THREE", display)


def test_how_far_another_daemon_heard_says_nothing() -> None:
    known = partial(3, 1000, "one", stable=3)
    for heard in (None, Heard("another", 5000), Heard("d", 20)):
        assert summary(list(endings([known], heard, Style()))) == [(1100, 1150), (3, "one", 1150, "crash")]


def test_gaps_of_two_utterances_do_not_overlap() -> None:
    known = [partial(3, 1000, "one two", stable=3), Started(utterance=4, start=1180, daemon="d")]
    assert summary(list(endings(known, Heard("d", 2000), Style()))) == [
        (1100, 1180),
        (3, "one", 1180, "crash"),
        (1180, 2000),
        (4, "", 2000, "crash"),
    ]

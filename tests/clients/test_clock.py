"""Times of subtitles go on over restarts."""

from asrd.clients.clock import Clock
from asrd.core.events import Final, Timestamps, WireWord


def final(daemon: str, second: int, time: float, reason: str = "silence") -> Final:
    start = 16_000 * second
    stages = Timestamps(heard=100.0, cut=100.0, started=100.0, recognized=100.0)
    said = {"start": start, "end": start + 16_000, "speech_end": start + 16_000, "backend": ""}
    words = (WireWord("word", start, start + 16_000, 1.0),)
    more = {"utterance": 0, "text": "word", "words": words, "confidence": 1.0, "stages": stages}
    return Final(daemon=daemon, time=time, reason=reason, **said, **more)


def test_a_final_that_comes_late_after_a_crash_does_not_turn_the_clock_back() -> None:
    """The crash was 100 s in, the next daemon was started an hour later, and heard its first word after a second."""
    clock = Clock()
    assert clock.words(final("a", 7, 3700.0, "crash"))[0].start == 16_000 * 7
    assert clock.words(final("b", 0, 3702.0))[0].end == 16_000 * (8 + 3602)

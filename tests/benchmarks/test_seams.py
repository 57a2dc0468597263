"""Effects of joining windows on words are told apart from effects of different context."""

from seams import Joint, Seams, seams

from asrd.core.flow import Word
from asrd.core.units import Samples


def words(*spoken: tuple[str, int]) -> list[Word]:
    """Make words of 100 samples, by text and start."""
    return [Word(text, Samples(start), Samples(start + 100), 1.0) for text, start in spoken]


def joint(place: int, before: list[Word], after: list[Word], start: int = 0, end: int = 1000) -> Joint:
    """Make a joint of windows that give all frames, unless told otherwise."""
    return Joint(place, before, after, start, end)


WHOLE = words(("ONE", 0), ("TWO", 200), ("THREE", 400))


def test_nothing_happened() -> None:
    assert seams(WHOLE, WHOLE, [joint(250, WHOLE, WHOLE)], 50) == Seams(count=1)


def test_a_word_on_both_sides_is_duplicated() -> None:
    joined = words(("ONE", 0), ("TWO", 140), ("TWO", 250), ("THREE", 400))
    before, after = words(("ONE", 0), ("TWO", 140)), words(("TWO", 250), ("THREE", 400))
    assert seams(joined, WHOLE, [joint(245, before, after)], 50) == Seams(1, inserted=1, duplicated=1)


def test_a_word_that_a_window_heard_twice_is_the_models() -> None:
    joined = words(("ONE", 0), ("TWO", 140), ("TWO", 250), ("THREE", 400))
    assert seams(joined, WHOLE, [joint(245, joined, joined)], 50).duplicated == 0


def test_a_word_said_twice_is_not_duplicated() -> None:
    joined = words(("TWO", 140), ("TWO", 250))
    assert seams(joined, joined, [joint(245, joined[:1], joined[1:])], 50) == Seams(1)


def test_a_word_that_both_windows_heard_and_neither_gave_is_dropped() -> None:
    joined = words(("ONE", 0), ("THREE", 400))
    assert seams(joined, WHOLE, [joint(250, WHOLE, WHOLE)], 50) == Seams(1, deleted=1, dropped=1)


def test_a_word_that_a_window_did_not_hear_is_not_dropped_by_the_joint() -> None:
    joined = words(("ONE", 0), ("THREE", 400))
    assert seams(joined, WHOLE, [joint(250, WHOLE, joined)], 50) == Seams(1, deleted=1)
    otherwise = words(("ONE", 0), ("TOO", 200), ("THREE", 400))
    assert seams(joined, WHOLE, [joint(250, WHOLE, otherwise)], 50) == Seams(1, deleted=1)


def test_far_from_a_joint_nothing_is_its_fault() -> None:
    joined = words(("ONE", 0), ("THREE", 400))
    assert seams(joined, WHOLE, [joint(900, WHOLE, WHOLE)], 50) == Seams(1)


def test_other_words_in_the_same_time_are_neither() -> None:
    joined = words(("ONE", 0), ("TOO", 200), ("THREE", 400))
    assert seams(joined, WHOLE, [joint(250, joined, WHOLE)], 50) == Seams(1)
    assert seams([], WHOLE, [joint(250, [], WHOLE)], 50) == Seams(1, deleted=1)


def test_what_another_window_gave_is_not_lost_by_this_joint() -> None:
    """All windows have the word, except the one before these two, which gave the frames of its time."""
    joined = words(("ONE", 0), ("THREE", 400))
    assert seams(joined, WHOLE, [joint(350, WHOLE, WHOLE, start=290)], 50) == Seams(1, deleted=1)
    assert seams(joined, WHOLE, [joint(150, WHOLE, WHOLE, end=250)], 50) == Seams(1, deleted=1)
    assert seams(joined, WHOLE, [joint(250, WHOLE, WHOLE, start=200, end=300)], 50).dropped == 1


def test_the_same_word_at_two_times_is_not_one_said_twice() -> None:
    joined = words(("ONE", 0), ("TWO", 200), ("TWO", 500))
    assert seams(joined, WHOLE, [joint(320, joined[:2], joined[2:])], 50).duplicated == 0
    assert seams(joined, WHOLE, [joint(320, joined[:2], joined[2:])], 200).duplicated == 1

"""What joining windows did to words, told from what other context did to them."""

from asrd.core.flow import Word
from asrd.core.units import Samples
from asrd.quant.seams import Joint, Seams, seams


def words(*spoken: tuple[str, int]) -> list[Word]:
    """Words of 100 samples, by text and start."""
    return [Word(text, Samples(start), Samples(start + 100), 1.0) for text, start in spoken]


WHOLE = words(("ONE", 0), ("TWO", 200), ("THREE", 400))


def test_nothing_happened() -> None:
    assert seams(WHOLE, WHOLE, [Joint(250, WHOLE, WHOLE)], 50) == Seams(count=1)


def test_a_word_on_both_sides_is_duplicated() -> None:
    joined = words(("ONE", 0), ("TWO", 140), ("TWO", 250), ("THREE", 400))
    before, after = words(("ONE", 0), ("TWO", 140)), words(("TWO", 250), ("THREE", 400))
    assert seams(joined, WHOLE, [Joint(245, before, after)], 50) == Seams(1, inserted=1, duplicated=1)


def test_a_word_that_a_window_heard_twice_is_the_models() -> None:
    joined = words(("ONE", 0), ("TWO", 140), ("TWO", 250), ("THREE", 400))
    assert seams(joined, WHOLE, [Joint(245, joined, joined)], 50).duplicated == 0


def test_a_word_said_twice_is_not_duplicated() -> None:
    joined = words(("TWO", 140), ("TWO", 250))
    assert seams(joined, joined, [Joint(245, joined[:1], joined[1:])], 50) == Seams(1)


def test_a_word_that_both_windows_heard_and_neither_gave_is_dropped() -> None:
    joined = words(("ONE", 0), ("THREE", 400))
    assert seams(joined, WHOLE, [Joint(250, WHOLE, WHOLE)], 50) == Seams(1, deleted=1, dropped=1)


def test_a_word_that_a_window_did_not_hear_is_not_dropped_by_the_joint() -> None:
    joined = words(("ONE", 0), ("THREE", 400))
    assert seams(joined, WHOLE, [Joint(250, WHOLE, joined)], 50) == Seams(1, deleted=1)
    otherwise = words(("ONE", 0), ("TOO", 200), ("THREE", 400))
    assert seams(joined, WHOLE, [Joint(250, WHOLE, otherwise)], 50) == Seams(1, deleted=1)


def test_far_from_a_joint_nothing_is_its_fault() -> None:
    joined = words(("ONE", 0), ("THREE", 400))
    assert seams(joined, WHOLE, [Joint(900, WHOLE, WHOLE)], 50) == Seams(1)


def test_other_words_in_the_same_time_are_neither() -> None:
    joined = words(("ONE", 0), ("TOO", 200), ("THREE", 400))
    assert seams(joined, WHOLE, [Joint(250, joined, WHOLE)], 50) == Seams(1)
    assert seams([], WHOLE, [Joint(250, [], WHOLE)], 50) == Seams(1, deleted=1)

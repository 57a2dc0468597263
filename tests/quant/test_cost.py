"""The interval of a paired difference holds the truth, however few utterances there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.quant.evaluation.cost import SPEAKERS, Pairs, Texts, cost, enough

COUNTS = st.integers(0, 20)


def _pairs(lost: list[int], lengths: list[int], right: list[int]) -> Pairs:
    return Pairs(*(np.array(each, np.float64) for each in (lost, right, lengths)))


@pytest.mark.parametrize(("seen", "exact"), [(0, 3.69), (1, 5.57), (3, 8.77), (10, 18.39)])
def test_lost_utterances_have_a_poisson_counts_exact_limit(seen: int, exact: float) -> None:
    """Garwood's upper limits of a Poisson count, at 97.5 % from one side."""
    many = 10_000
    found = _pairs([10] * seen + [0] * (many - seen), [10] * many, [10] * many)
    assert many * found.interval()[1] == pytest.approx(exact, rel=0.05)


@given(st.lists(st.tuples(COUNTS, COUNTS, st.integers(1, 20)), min_size=1, max_size=30))
def test_the_interval_holds_what_was_measured_and_turns_around_with_it(items: list[tuple[int, int, int]]) -> None:
    before, after, lengths = (list(each) for each in zip(*items, strict=True))
    references = [" ".join(["A"] * length) for length in lengths]
    first, other = (
        [" ".join(["B"] * min(n, m) + ["A"] * (m - n)) for n, m in zip(wrong, lengths, strict=True)]
        for wrong in (before, after)
    )
    there = cost("wer", Texts(references, first, other, [""] * len(items)))
    back = cost("wer", Texts(references, other, first, [""] * len(items)))
    assert there.low <= there.value <= there.high
    assert there.value == -back.value


def test_no_difference_still_has_a_width_that_more_speech_narrows() -> None:
    widths = []
    for count in (1, 10, 100, 1000):
        same = ["ONE TWO THREE"] * count
        found = cost("wer", Texts(same, same, same, [""] * count))
        assert found.value == 0
        widths.append(found.high - found.low)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 0.5
    assert widths[-1] < 0.01


def test_speakers_are_resampled_where_they_are_known() -> None:
    """Ten utterances of one speaker in twenty are worse: that says less than ten anywhere."""
    said = ["ONE TWO THREE FOUR FIVE"] * 400
    heard = ["ONE TWO THREE FOUR NONE" if index // 20 == 3 else text for index, text in enumerate(said)]
    by_speaker = [f"speaker {index // 20}" for index in range(400)]
    known = cost("wer", Texts(said, said, heard, by_speaker))
    unknown = cost("wer", Texts(said, said, heard, [""] * 400))
    assert (known.speakers, unknown.speakers) == (20, 0)
    assert known.high > 1.5 * unknown.high
    few = cost("wer", Texts(said, said, heard, [f"{index % (SPEAKERS - 1)}" for index in range(400)]))
    assert few.speakers == 0


def test_as_much_speech_as_is_said_to_be_enough_is_enough() -> None:
    said = ["ONE TWO THREE FOUR FIVE"] * 50
    heard = [*said[:-2], "ONE TWO THREE FOUR", "ONE TWO THREE FOUR"]
    texts = Texts(said, said, heard, [""] * 50)
    times = enough("wer", texts, "absolute", 0.02)
    assert times is not None
    more = int(np.ceil(50 * times / 50))
    assert cost("wer", Texts(said * more, said * more, heard * more, [""] * 50 * more)).high <= 0.02
    assert enough("wer", texts, "absolute", 0.008) is None  # just what was measured


def test_any_loss_of_no_accuracy_is_infinite_share_of_it() -> None:
    found = cost("wer", Texts(["ONE TWO"], ["NO NO"], ["NO NO NO"], [""]), "relative")
    assert found.saturated
    assert found.value == np.inf

"""Intervals contain the true rate about as often as they claim."""

import numpy as np

from asrd.quant.evaluation.bootstrap import rate


def test_95_percent_intervals_hold_the_truth_about_95_percent_of_the_time() -> None:
    # Utterances of 5 to 20 words, some much harder than others: errors within one go together.
    generator = np.random.default_rng(1)
    hits, trials = 0, 300
    for _ in range(trials):
        lengths = generator.integers(5, 20, 80)
        difficulty = generator.beta(1, 4, 80)  # 0.2 on average
        found = rate(generator.binomial(lengths, difficulty).tolist(), lengths.tolist(), resamples=400)
        hits += found.low <= 0.2 <= found.high
    assert 0.90 <= hits / trials <= 0.98


def test_more_speech_narrows_the_interval_as_the_root_of_it() -> None:
    few, many = (rate([0, 1, 3] * times, [5, 5, 5] * times) for times in (10, 160))
    assert few.value == many.value == 4 / 15
    assert 3 < (few.high - few.low) / (many.high - many.low) < 5  # 4 = √16


def test_the_seed_decides_and_is_the_same_for_every_backend() -> None:
    errors, lengths = [0, 2, 1, 4, 0, 1], [4, 5, 6, 7, 8, 9]
    assert rate(errors, lengths, seed=3) == rate(errors, lengths, seed=3)
    assert rate(errors, lengths, seed=3) != rate(errors, lengths, seed=4)
    doubled = rate([2 * error for error in errors], lengths, seed=3)
    assert doubled.high == 2 * rate(errors, lengths, seed=3).high


def test_one_utterance_says_nothing_of_others() -> None:
    found = rate([1], [4])
    assert (found.low, found.value, found.high) == (0.25, 0.25, 0.25)


def test_resamples_need_not_fill_a_batch() -> None:
    found = rate([0, 1, 2], [3, 3, 3], resamples=7)
    assert found.low <= found.value <= found.high

"""How often does the proof of `asrd quantize` pass a model that it should not, and one that it should?

Draws test sets from populations whose true cost is known, and counts how often the interval lies within the bound. Each
way to lose accuracy is a population of its own: words here and there, some utterances in twenty, whole utterances, or
everything that some speakers say. The column "difference" is the rule without an interval: pass if no more was lost than
the bound.

    python benchmarks/proof_power.py --page docs/proof.md
"""

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from page import put, table

from asrd.quant.evaluation.cost import Counts, Pairs, bounds

BOUND = 0.01
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000)
WRONG = 0.2
"""Error rate of the original."""

CHURN = 0.01
"""Share of words that turn wrong, and right, by chance in any INT8 model."""

HIT = 0.05
"""Share of utterances, or of speakers, that suffer where some do."""

PER_SPEAKER = 10
TRUTHS = (("twice the bound", 2.0), ("just over it", 1.01), ("three tenths of it", 0.3), ("nothing", 0.0))

Losses = Callable[[np.random.Generator, Counts, float], Counts]
"""Draws the words lost in each utterance, given the words that were right and the share of all words to lose."""


def _words(chance: np.random.Generator, right: Counts, share: float) -> Counts:
    return chance.binomial(right.astype(int), share / (1 - WRONG)).astype(np.float64)


def _some(chance: np.random.Generator, right: Counts, share: float) -> Counts:
    hit = chance.random(len(right)) < HIT
    return hit * _words(chance, right, share / HIT)


def _whole(chance: np.random.Generator, right: Counts, share: float) -> Counts:
    return (chance.random(len(right)) < share / (1 - WRONG)) * right


def _speakers(chance: np.random.Generator, right: Counts, share: float) -> Counts:
    hit = np.repeat(chance.random(len(right) // PER_SPEAKER + 1) < HIT, PER_SPEAKER)[: len(right)]
    return hit * _words(chance, right, share / HIT)


KINDS: dict[str, Losses] = {
    "words here and there": _words,
    "some utterances in twenty": _some,
    "whole utterances": _whole,
    "some speakers in twenty": _speakers,
}


def draw(chance: np.random.Generator, count: int, losses: Losses, share: float) -> tuple[Pairs, list[str]]:
    """Draw a test set, and its speakers, from a population that loses `share` of all words."""
    lengths = np.clip(chance.lognormal(2.2, 0.6, count).round(), 1, 40)
    right = chance.binomial(lengths.astype(int), 1 - chance.beta(1.2, 1.2 * (1 - WRONG) / WRONG, count))
    lost = losses(chance, right.astype(np.float64), share)
    turned = chance.binomial((right - lost).astype(int), CHURN / (1 - WRONG))
    gained = chance.binomial((lengths - right).astype(int), CHURN / WRONG)
    speakers = [str(index // PER_SPEAKER) for index in range(count)] if losses is _speakers else [""] * count
    return Pairs(lost + turned - gained, right.astype(np.float64), lengths), speakers


def passed(found: Pairs, speakers: list[str]) -> bool:
    """Return whether the proof passes. The first interval is cheap, and most test sets end there."""
    return found.interval()[1] <= BOUND and bounds(found, speakers)[1] <= BOUND


def rates(losses: Losses, share: float, trials: int) -> list[tuple[float, float]]:
    """Return how many of `trials` test sets of each size pass by the interval, and by the difference alone."""
    chance = np.random.default_rng(1)
    found = []
    for size in SIZES:
        sets = [draw(chance, size, losses, share) for _ in range(trials)]
        passes = sum(passed(*each) for each in sets), sum(each.value <= BOUND for each, _ in sets)
        found.append((passes[0] / trials, passes[1] / trials))
    return found


@click.command(help=__doc__)
@click.option("--trials", default=2000, show_default=True, help="Test sets drawn of each kind and size.")
@click.option("--page", type=click.Path(path_type=Path), help="Page whose tables to replace.")
def main(trials: int, page: Path | None) -> None:
    """Print the tables, and put them into a page."""
    titles = ["what is lost", "how much", "rule", *map(str, SIZES)]
    rows = []
    for name, losses in KINDS.items():
        for words, times in TRUTHS:
            found = rates(losses, times * BOUND, trials)
            for rule, column in (("interval", 0), ("difference", 1)):
                if rule == "interval" or times > 1:
                    rows.append([name, words, rule, *(f"{100 * rate[column]:.1f}" for rate in found)])
    text = table(titles, rows)
    click.echo(text)
    if page:
        put(page, "power", text)


if __name__ == "__main__":
    main()

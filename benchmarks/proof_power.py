"""How often does the proof of `asrd quantize` pass a model that it should not, and one that it should?

Draws test sets from populations whose true cost is known, and counts how often the interval lies within the bound.
Each way to lose accuracy is a population of its own. The rule "difference" has no interval: it passes a model that lost
no more than the bound.

    python benchmarks/proof_power.py --page docs/proof.md
"""

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from page import put, table

from asrd.quant.evaluation.cost import Counts, Pairs, bounds
from asrd.quant.evaluation.style import legend, panels, save, styled

BOUND = 0.01
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000)
WRONG = 0.2
"""Error rate of the original."""

CHURN = 0.01
"""Share of words that turn wrong, and right, by chance in any INT8 model."""

PER_SPEAKER = 10
TRUTHS = (("twice the bound", 2.0), ("just over it", 1.01), ("three tenths of it", 0.3), ("nothing", 0.0))

Losses = Callable[[np.random.Generator, Counts, float], Counts]
"""Draws the words lost in each utterance, given the words that were right and the share of all words to lose."""


def _words(chance: np.random.Generator, right: Counts, share: float) -> Counts:
    return chance.binomial(right.astype(int), share / (1 - WRONG)).astype(np.float64)


def _utterances(chance: np.random.Generator, right: Counts, share: float) -> Counts:
    return (chance.random(len(right)) < 1 / 20) * _words(chance, right, 20 * share)


def _whole(chance: np.random.Generator, right: Counts, share: float) -> Counts:
    return (chance.random(len(right)) < share / (1 - WRONG)) * right


def _speakers(one_in: int) -> Losses:
    def losses(chance: np.random.Generator, right: Counts, share: float) -> Counts:
        speakers = len(right) // PER_SPEAKER + 1
        hit = np.repeat(chance.random(speakers) < 1 / one_in, PER_SPEAKER)[: len(right)]
        return hit * _words(chance, right, one_in * share)

    return losses


KINDS: dict[str, Losses] = {
    "words here and there": _words,
    "words in one utterance of 20": _utterances,
    "whole utterances": _whole,
    "words of one speaker in 5": _speakers(5),
    "words of one speaker in 20": _speakers(20),
}


def draw(chance: np.random.Generator, count: int, kind: str, share: float) -> tuple[Pairs, list[str]]:
    """Draw a test set, and its speakers, from a population that loses `share` of all words."""
    losses = KINDS[kind]
    lengths = np.clip(chance.lognormal(2.2, 0.6, count).round(), 1, 40)
    right = chance.binomial(lengths.astype(int), 1 - chance.beta(1.2, 1.2 * (1 - WRONG) / WRONG, count))
    lost = losses(chance, right.astype(np.float64), share)
    turned = chance.binomial((right - lost).astype(int), CHURN / (1 - WRONG))
    gained = chance.binomial((lengths - right).astype(int), CHURN / WRONG)
    speakers = [str(index // PER_SPEAKER) for index in range(count)] if "speaker" in kind else [""] * count
    return Pairs(lost + turned - gained, right.astype(np.float64), lengths), speakers


def picture(rows: list[list[str]], path: Path) -> None:
    """Draw the share of models passed, by utterances: of those over the bound, and of those that cost nothing."""
    panel = {"just over it": "over the bound by a hundredth", "nothing": "nothing lost"}
    with styled():
        figure, [axes] = panels(1, len(panel), 3.2, sharey=True)
        for one, (truth, title) in zip(axes, panel.items(), strict=True):
            for kind in KINDS:
                [shares] = [row[3:] for row in rows if row[:3] == [kind, truth, "interval"]]
                one.plot(SIZES, [float(share) for share in shares], label=kind)
            one.set_xscale("log")
            one.set_title(title)
            one.set_xlabel("utterances")
            one.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
        axes[0].axhline(5, color="black", linewidth=0.8, linestyle="--")
        axes[0].annotate("5 %", (1, 6))
        axes[0].set_ylabel("passed, %")
        legend(figure)
        save(figure, path)


def passed(found: Pairs, speakers: list[str]) -> bool:
    """Return whether the proof passes. The first interval is cheap, and most test sets end there."""
    return found.interval()[1] <= BOUND and bounds(found, speakers)[1] <= BOUND


def rates(kind: str, share: float, trials: int) -> list[tuple[float, float]]:
    """Return how many of `trials` test sets of each size pass by the interval, and by the difference alone."""
    chance = np.random.default_rng(1)
    found = []
    for size in SIZES:
        sets = [draw(chance, size, kind, share) for _ in range(trials)]
        passes = sum(passed(*each) for each in sets), sum(each.value <= BOUND for each, _ in sets)
        found.append((passes[0] / trials, passes[1] / trials))
    return found


@click.command(help=__doc__)
@click.option("--trials", default=2000, show_default=True, help="Test sets drawn of each kind and size.")
@click.option(
    "--page", type=click.Path(path_type=Path), help="Page whose table to replace, with the picture beside it."
)
def main(trials: int, page: Path | None) -> None:
    """Print the table, and put it into a page."""
    titles = ["what is lost", "how much", "rule", *map(str, SIZES)]
    rows = []
    for name in KINDS:
        for words, times in TRUTHS:
            found = rates(name, times * BOUND, trials)
            for rule, column in (("interval", 0), ("difference", 1)):
                if rule == "interval" or times > 1:
                    rows.append([name, words, rule, *(f"{100 * rate[column]:.1f}" for rate in found)])
    text = table(titles, rows)
    click.echo(text)
    if page:
        put(page, "power", text)
        picture(rows, page.with_suffix(".png"))


if __name__ == "__main__":
    main()

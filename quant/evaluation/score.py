"""Word and character error rates, and the accuracy that a model lost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jiwer

from asrd.quant.data.text import normalize_text
from asrd.quant.evaluation.bootstrap import Rate, rate
from asrd.quant.recipe import DropType, Metric


@dataclass(frozen=True, slots=True)
class Score:
    """Error rates over `words` and `characters` of reference text."""

    wer: Rate
    cer: Rate
    words: int
    characters: int


def score(references: Sequence[str], hypotheses: Sequence[str], seed: int = 0, resamples: int = 1000) -> Score:
    """Compute error rates over all texts together. References without words are left out; at least one must have
    some.
    """
    words, letters = (errors(metric, references, hypotheses) for metric in ("wer", "cer"))
    wer, cer = (rate(wrong, lengths, seed, resamples) for wrong, lengths in (words, letters))
    return Score(wer, cer, sum(words[1]), sum(letters[1]))


def error_rate(metric: Metric, references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Return one rate of `score`, without its interval."""
    wrong, lengths = errors(metric, references, hypotheses)
    return sum(wrong) / sum(lengths)


def drop(metric: Metric, reference: Score, other: Score, kind: DropType) -> float:
    """Return the accuracy lost, where accuracy is 1 - error rate; negative if it was gained.

    "relative" is NNCF's: to the reference's accuracy, taken positive. A reference that gets nothing right has no
    accuracy to lose a share of: any loss from there is infinite.
    """
    before, after = (1 - getattr(one, metric).value for one in (reference, other))
    lost: float = before - after
    if kind == "absolute" or lost == 0:
        return lost
    return lost / abs(before) if abs(before) > 1e-9 else math.copysign(math.inf, lost)


def errors(metric: str, references: Sequence[str], hypotheses: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return errors and length of each utterance that has words."""
    process = jiwer.process_words if metric == "wer" else jiwer.process_characters
    wrong, lengths = [], []
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        if said := normalize_text(reference):
            found = process(said, normalize_text(hypothesis))
            wrong.append(found.substitutions + found.deletions + found.insertions)
            lengths.append(found.hits + found.substitutions + found.deletions)
    return wrong, lengths

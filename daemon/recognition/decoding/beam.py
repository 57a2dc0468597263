"""Decode final text by beam search, and text that may still change greedily."""

from collections.abc import Sequence

import numpy as np

from asrd.core.flow import FloatArray, Hypothesis
from asrd.core.units import samples
from asrd.daemon.recognition.decoding.align import align
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.hot import Hot, WordSequence
from asrd.daemon.recognition.decoding.path import Labels, follow
from asrd.daemon.recognition.decoding.search import Candidate, Search
from asrd.models import ModelDirectory

CONTEXT = 5
"""Words of context given to the language model; a 6-gram uses no more."""

SURE = 0.7
"""Share of the surviving beams' probability that must agree on words to decide them. Waiting until all agree makes
words stable half a second later, but no more of them right: what comes a word later hardly changes them.
"""

OPEN, UNDECIDED = samples(1.5), samples(0.8)
"""Amount of undecided audio above which the likeliest words are decided, except for the last `UNDECIDED` samples.
This bounds how late a word becomes stable, how much is left to search when the utterance ends, and so the latency
of its final.
"""


class BeamDecoder:
    """Decide words one after the other; decided words stay.

    When frames have settled, they are searched together with the unsettled ones behind them: what follows a word
    tells which word it was, and a search that ended with the settled frames, usually within a word, would bend the
    words before into ones that can end there. The whole words that nearly all surviving beams begin with are decided,
    as far as their frames are settled. The search continues behind them; only the last words remain, as context for
    the language model. So by construction the decided text is a prefix of all later texts, whatever the search finds,
    and no frame is searched more than a few times. The text of a partial is the decided words, followed by the greedy
    ones.
    """

    def __init__(self, search: Search, hot: Hot, model: ModelDirectory) -> None:
        self._search, self._hot = search, hot
        self._vocabulary, self._stride, self._calibration = model.vocabulary, model.geometry.stride, model.calibration
        self._context = max(CONTEXT, hot.longest - 1)
        self._path: Labels = np.empty(0, np.intp)  # of the decided words; ends with a delimiter
        self._words: WordSequence = ()  # the last of them
        self._searched = 0  # frames that were settled at the last search

    def decode(self, frames: Frames, settled: int, last: bool) -> Hypothesis:
        """Return the words of the utterance so far."""
        if last:
            rest = self._find(frames.log_probs[len(self._path) :])[0]
        else:
            if settled > self._searched:
                self._decide(frames.log_probs[len(self._path) :], settled - len(self._path))
                self._searched = settled
            rest = frames.log_probs[len(self._path) :].argmax(axis=1)
        path = np.concatenate([self._path, rest])
        decided = len(path) if last else len(self._path)
        return follow(path, frames, self._vocabulary, self._stride, decided, calibration=self._calibration)

    def _find(self, log_probs: FloatArray) -> tuple[Labels, list[Candidate]]:
        """Return the likeliest path, and all candidates, that of the path first."""
        candidates = self._search.best(log_probs, self._words, self._hot)
        if not candidates:
            return log_probs.argmax(axis=1), []
        return self._align(log_probs, candidates[0].words), candidates

    def _align(self, log_probs: FloatArray, words: WordSequence) -> Labels:
        assert self._vocabulary.delimiter is not None  # Search requires one
        return align(log_probs, self._search.spell(words), self._vocabulary.blank, self._vocabulary.delimiter)

    def _decide(self, log_probs: FloatArray, settled: int) -> None:
        """Decide the words beyond doubt in these undecided frames, of which the first `settled` are settled."""
        path, candidates = self._find(log_probs)
        if not candidates:
            return
        ends = _word_ends(path, self._vocabulary.delimiter)
        count = _sure(candidates)
        if settled * self._stride > OPEN:
            early = sum(end * self._stride < len(log_probs) * self._stride - UNDECIDED for end in ends)
            count = max(count, early)
        count = min(count, sum(end <= settled for end in ends))
        if count:
            self._path = np.concatenate([self._path, path[: ends[count - 1]]])
            self._words = (*self._words, *candidates[0].words[:count])[-self._context :]


def _sure(candidates: Sequence[Candidate]) -> int:
    """Return how many of the first candidate's words begin the text of candidates with `SURE` of the probability. The
    last word of a candidate does not count: it may continue.
    """
    scores = np.array([one.score for one in candidates])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    best, count = candidates[0].words, 0
    while count + 1 < len(best):
        alike = [len(one.words) > count + 1 and one.words[: count + 1] == best[: count + 1] for one in candidates]
        if shares[alike].sum() < SURE:
            break
        count += 1
    return count


def _word_ends(path: Labels, delimiter: int | None) -> list[int]:
    """Return the frame after the delimiter behind each word of a path, except the last word."""
    return (np.flatnonzero(path == delimiter) + 1).tolist()

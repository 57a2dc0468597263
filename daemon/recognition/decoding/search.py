"""Prefix beam search with an n-gram model and hot words, by `ctc-beam-decoder`.

Hannun et al. 2014, "First-pass large vocabulary continuous speech recognition using bi-directional
recurrent DNNs", algorithm 1, with the pruning of pyctcdecode, which that library reproduces.
"""

import atexit
import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from asrd.core.errors import ModelError, UsageError
from asrd.core.flow import FloatArray
from asrd.daemon.recognition.decoding.hot import Hot, WordSequence
from asrd.daemon.recognition.decoding.options import BEAM_WIDTH, unsearchable
from asrd.models import Vocabulary, runtime
from asrd.models.lm import DecodingSettings, LanguageModel

BEAM_PRUNE, TOKEN_PRUNE = -10.0, -5.0
"""Nats below the best at which a beam, and a letter of a frame, are dropped: pyctcdecode's defaults."""

HOT_TOKEN_PRUNE = -5.5
"""The threshold for a letter when there are hot words: a model that is sure of its letters leaves few others to spell
a name with that it has never heard. With -5, -5.5 and -7, 14, 16 and 18 of 40 spoken names are recognised; from -6
on, one that nobody says is heard in 79 clips.
"""

NEVER = -1e4

_LIVING = weakref.WeakSet[Any]()
"""The library's decoders that are alive."""


class Candidate(NamedTuple):
    """words: as the search spells them. score: in nats; higher is better."""

    words: WordSequence
    score: float


class Search:
    """Search shared by all utterances of a model; holds the language model. Safe to use from one thread at a time."""

    def __init__(
        self, vocabulary: Vocabulary, lm: LanguageModel | None, weights: DecodingSettings, width: int = BEAM_WIDTH
    ) -> None:
        """width: number of beams kept.

        Raises ModelError if the model's words cannot be told apart or spelled letter by letter, or if the language
        model cannot be loaded; MissingExtraError if the library is not installed.
        """
        library = runtime.beam_search()
        if (why := unsearchable(vocabulary)) or vocabulary.delimiter is None:
            raise ModelError(f"{why}; use --decoder greedy")
        silent = vocabulary.special | {vocabulary.blank, vocabulary.delimiter}
        letters = [index for index in range(len(vocabulary)) if index not in silent]
        tokens = [vocabulary.tokens[index] for index in letters]
        self.lm, self._weights, self._width = lm, weights, width
        self._case = _case(tokens, lm)
        self._labels = {self._case(token): index for token, index in zip(tokens, letters, strict=True)}
        self._columns = [*letters, vocabulary.delimiter, vocabulary.blank]
        self._delimiter = vocabulary.delimiter
        self._known = frozenset(lm.words) if lm else None
        names = [*self._labels, " ", ""]
        options: dict[str, Any] = {}
        if lm:
            options = {
                "kenlm_model_path": str(lm.path),
                "unigrams": list(lm.words),
                "alpha": weights.lm_weight,
                "beta": weights.word_bonus,
                "unk_score_offset": -weights.unknown_penalty,  # nats, for letters that begin no known word
            }
        try:
            self._decoder = library.BeamSearchDecoder(names, **options)
        except (ValueError, RuntimeError, OSError) as error:
            where = f"the language model {lm.path}" if lm else "beam search"
            why = (str(error).strip().splitlines() or [type(error).__name__])[-1]  # KenLM's last line names the cause
            raise ModelError(f"{where} cannot be loaded ({why.strip()})") from error
        _LIVING.add(self._decoder)

    def words(self, text: str) -> WordSequence:
        """Return a phrase as the search spells it. Raises UsageError if the model cannot spell it."""
        words = tuple(self._case(text).split())
        strange = sorted({letter for word in words for letter in word if letter not in self._labels})
        if not words:
            raise UsageError("a hot word has at least one letter")
        if strange:
            raise UsageError(f"the model cannot spell '{text}': it has no {', '.join(map(repr, strange))}")
        return words

    def spell(self, words: Sequence[str]) -> list[int]:
        """Return the model's labels for words, with a delimiter between two words."""
        labels = [label for word in words for label in (self._delimiter, *(self._labels[letter] for letter in word))]
        return labels[1:]

    def knows(self, word: str) -> bool:
        """Return whether the language model has a word, spelled as the search does; True without a language model."""
        return self._known is None or word in self._known

    def hot(self, boosts: Mapping[str, float]) -> Hot:
        """Return the phrases with their boosts. A phrase's boost also offsets the penalty for words unknown to the
        language model.
        """
        fine = self._weights.unknown_penalty * self._weights.lm_weight * math.log(10)
        worth: dict[WordSequence, float] = {}
        for text, boost in boosts.items():
            words = self.words(text)
            unknown = sum(not self.knows(word) for word in words)
            worth[words] = boost + unknown * fine
        return Hot(worth)

    def best(self, log_probs: FloatArray, context: WordSequence, hot: Hot) -> list[Candidate]:
        """Return what frames `(n, vocabulary)` may say after the words of `context`, likeliest first. May be empty.

        Hot words get a search of their own, because the library has one weight for all words and takes phrases apart;
        the results of both searches are then scored correctly. Of the search with hot words, which also looks
        further, only results that hold a hot word count: hot words that nobody says leave the text as it is.
        """
        if not len(log_probs):
            return []
        frames = np.concatenate([self._certain(context), self._penalized(log_probs[:, self._columns])])
        found = self._search(frames, context, Hot({}), hot)
        if hot:
            least = hot.bonus(context)
            steered = self._search(frames, context, hot, hot)
            found += [one for one in steered if hot.bonus((*context, *one.words)) > least]
        best: dict[WordSequence, float] = {}
        for words, score in found:
            best[words] = max(score, best.get(words, -math.inf))
        return sorted((Candidate(words, score) for words, score in best.items()), key=lambda one: -one.score)

    def _search(self, frames: FloatArray, context: WordSequence, sought: Hot, hot: Hot) -> list[Candidate]:
        beams = self._decoder.decode_beams(
            frames,
            beam_width=self._width,
            beam_prune_logp=BEAM_PRUNE - sought.most,
            token_min_logp=HOT_TOKEN_PRUNE if sought else TOKEN_PRUNE,
            hotwords=list(sought.words),
            hotword_weight=sought.most,
        )
        results = []
        for text, _, _, _, score in beams:
            words = tuple(text.split())
            if words[: len(context)] == context:
                given = sought.most * sum(word in sought.words for word in words)
                results.append(Candidate(words[len(context) :], score - given + hot.bonus(words)))
        return results

    def _penalized(self, log_probs: FloatArray) -> FloatArray:
        """Return the frames with the blank, the last column, less likely and all other labels more."""
        if not self._weights.blank_penalty:
            return log_probs
        penalized = log_probs.copy()
        penalized[:, -1] -= self._weights.blank_penalty
        return penalized - np.logaddexp.reduce(penalized, axis=1, keepdims=True)

    def _certain(self, context: WordSequence) -> FloatArray:
        """Return frames that say exactly these words, so that the language model knows what came before."""
        labels = [self._delimiter]
        for word in context:
            for letter in word:
                label = self._labels[letter]
                labels += [self._columns[-1], label] if label == labels[-1] else [label]
            labels.append(self._delimiter)
        rows = np.full((len(labels) - 1, len(self._columns)), NEVER, np.float32)
        for row, label in zip(rows, labels[1:], strict=True):
            row[self._columns.index(label)] = 0.0
        return rows


def _case(tokens: Sequence[str], lm: LanguageModel | None) -> Callable[[str], str]:
    """Return the function that brings the model's letters to the case of the language model, if the model has one
    case only.
    """
    for change in (str.lower, str.upper):
        changed = [change(token) for token in tokens]
        if len(set(changed)) == len(tokens) and all(len(letter) == 1 for letter in changed):
            wanted = sum(word == change(word) for word in lm.words) if lm else 0
            if 2 * wanted >= (len(lm.words) if lm else 0):
                return change
    return str


@atexit.register
def _let_go() -> None:
    """Skip the library's own freeing at exit, which sometimes crashes; the system frees all memory anyway."""
    for decoder in _LIVING:
        decoder._handle = None

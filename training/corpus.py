"""Draw the phrases to synthesise: parts of sentences, single words and numbers."""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from asrd.training import numbers
from asrd.training.text import labels

_LENGTHS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14)


class Corpus:
    """Sentences by source, and the texts that are held out because something is measured on them."""

    def __init__(
        self, found: Mapping[str, Sequence[str]], weights: Mapping[str, float], held_out: Collection[str] = ()
    ) -> None:
        """held_out: texts in any spelling; no phrase equal to one of them is drawn."""
        self._sources = [found[name] for name in sorted(found) if found[name]]
        self._weights = [weights.get(name, 0.1) for name in sorted(found) if found[name]]
        self._held_out = frozenset(map(labels, held_out))
        count = Counter(word for source in self._sources for text in source for word in labels(text).split())
        self._words = sorted(
            word.lower() for word, times in count.items() if times > 2 and (len(word) > 1 or word in "AI")
        )

    def draw(self, rng: random.Random) -> str:
        """Draw a phrase: part of a sentence, one time in eight unrelated words, one in twenty a number."""
        while True:
            phrase = self._phrase(rng)
            if (spelled := labels(phrase)) and spelled not in self._held_out:
                return phrase

    def _phrase(self, rng: random.Random) -> str:
        kind = rng.random()
        if kind < 0.05:
            return numbers.phrase(rng)
        if kind < 0.17 and self._words:
            return " ".join(rng.choice(self._words) for _ in range(rng.choice((1, 2, 3))))
        words = rng.choice(rng.choices(self._sources, self._weights)[0]).split()
        length = rng.choice(_LENGTHS)
        first = 0 if rng.random() < 0.4 else rng.randrange(max(1, len(words) - length + 1))
        return " ".join(words[first : first + length])

"""Words and phrases that are written exactly as somebody asked."""

from collections.abc import Sequence
from functools import lru_cache

Folded = tuple[str, ...]
"""A phrase without regard to case, word by word."""


class Spellings:
    """Find phrases in a sentence, whatever their case there. The longest at a place counts, and the last of equals."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = {_fold(words): words for words in map(str.split, phrases) if words}
        self._begun = {folded[:length] for folded in self._phrases for length in range(1, len(folded))}
        self._longest = max(map(len, self._phrases), default=0)

    def apply(self, texts: Sequence[str]) -> list[str]:
        """Return the words of a sentence, with the phrases in them written as asked."""
        if not self._phrases:
            return list(texts)
        folded, result = _fold(texts), list[str]()
        while len(result) < len(texts):
            at = len(result)
            longest = min(self._longest, len(texts) - at)
            found = (self._phrases.get(folded[at : at + length]) for length in range(longest, 0, -1))
            result += next(filter(None, found), [texts[at]])
        return result

    def settled(self, texts: Sequence[str]) -> int:
        """Count the words of a sentence that stay as they are whatever follows: those before a phrase that may be going
        on.
        """
        if self._longest < 2:
            return len(texts)
        folded = _fold(texts)
        first = max(len(texts) - self._longest + 1, 0)
        return next((at for at in range(first, len(texts)) if folded[at:] in self._begun), len(texts))


@lru_cache(16)
def spellings(phrases: tuple[str, ...]) -> Spellings:
    """Return the spellings of a style, which are looked up for every partial."""
    return Spellings(phrases)


def _fold(words: Sequence[str]) -> Folded:
    return tuple(word.casefold() for word in words)

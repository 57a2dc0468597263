"""Find phrases of the table among the words of an utterance."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from asrd.clients.dictation.table import Action, Command
from asrd.core import script


class Word(NamedTuple):
    """A word to type. fixed: its case is right as it is."""

    text: str
    fixed: bool = False


Item = Word | Action


class Phrases:
    """The phrases of one language, and what they mean."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self._actions = {_key(phrase): action for phrase, action in actions.items()}
        self._longest = max(map(len, self._actions), default=0)
        typed = [action.strip() for action in actions.values() if isinstance(action, str)]
        self.end_sentences = any(text[-1:] in script.ENDS for text in typed)
        """Whether the speaker says where sentences end."""

    def items(self, words: Sequence[str]) -> Iterator[Item]:
        """Yield words, and what phrases mean, in order; the longest phrase wins. words: what `script.pieces` cuts."""
        folded, position = tuple(word.casefold() for word in words), 0
        while position < len(words):
            end, action = self._at(folded, position)
            if action is Command.LITERAL and end < len(words):
                position, end, action = end, end + 1, None
            if action is None or action is Command.LITERAL:  # nothing comes after it: so it is a word itself
                action = Word(script.join(words[position:end]))
            yield action
            position = end

    def _at(self, folded: tuple[str, ...], first: int) -> tuple[int, Item | None]:
        """Return where the phrase at a word ends, and its action; None if none is there."""
        for last in range(min(first + self._longest, len(folded)), first, -1):
            action = self._actions.get(folded[first:last])
            if action is not None:
                return last, action
        return first + 1, None


def _key(phrase: str) -> tuple[str, ...]:
    return tuple(piece.casefold() for word in phrase.split() for piece in script.pieces(word))

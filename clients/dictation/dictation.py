"""From events to changes of the text in a window."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile
from typing import NamedTuple

from asrd.clients.dictation.draft import Draft
from asrd.clients.dictation.phrases import Item, Phrases, Word
from asrd.clients.dictation.table import Table
from asrd.core import script
from asrd.core.events import Final, Partial, WireWord
from asrd.core.units import Samples
from asrd.core.writing.sentences import sentences
from asrd.core.writing.style import Style

NEVER = Samples(1 << 62)


class Change(NamedTuple):
    """A change at the cursor: characters to delete before it, and text to type then."""

    delete: int
    text: str


class Dictation:
    """What is typed of a daemon's events. Each change begins where the one before ended."""

    def __init__(self, table: Table, style: Style) -> None:
        self._table = table
        self._draft = Draft()
        self._typed = ""
        self.restyle(style)

    def restyle(self, style: Style) -> None:
        """Take another style for the next words; its language chooses the phrases."""
        self._style = style
        self._phrases = Phrases({} if style.raw else self._table.phrases(style.language))

    def partial(self, partial: Partial) -> Change:
        """Return the change to what is settled of an open utterance."""
        ends = script.ends((word.word for word in partial.words), partial.text)
        settled = sum(end <= partial.stable for end in ends)
        return self._change(self._draft.add(self._items(partial.words[:settled], ends=False)))

    def final(self, final: Final) -> Change:
        """Return the change to all that was said."""
        self._draft = self._draft.add(self._items(final.words, ends=final.reason != "length"))
        change = self._change(self._draft)
        self._draft = self._draft.kept()
        self._typed = self._draft.text
        return change

    def _change(self, draft: Draft) -> Change:
        text = draft.text
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._typed, text, strict=False)))
        change = Change(len(self._typed) - same, text[same:])
        self._typed = text
        return change

    def _items(self, words: Sequence[WireWord], *, ends: bool) -> Iterator[Item]:
        """Yield what is to be typed and done. ends: whether the last word may end a sentence.

        Where no phrase ends sentences, pauses do, as in all text that asrd writes.
        """
        if self._style.raw or self._phrases.end_sentences:
            yield from self._part(words)
            return
        parts = [*_parts(words, self._style.pause)]
        for number, part in enumerate(parts, 1):
            item: Item | None = None
            for item in self._part(part):
                yield item
            if isinstance(item, Word) and (ends or number < len(parts)):
                yield f"{script.stop(item.text)} "

    def _part(self, words: Sequence[WireWord]) -> Iterator[Item]:
        said = sentences(words, replace(self._style, pause=NEVER), begins=False, ends=False)
        texts = [token.text for one in said for token in one]
        return (Word(text, fixed=True) for text in texts) if self._style.raw else self._phrases.items(texts)


def _parts(words: Sequence[WireWord], pause: int) -> Iterator[Sequence[WireWord]]:
    """Cut words where the speaker paused."""
    cuts = [index for index, (one, other) in enumerate(pairwise(words), 1) if other.start - one.end >= pause]
    yield from (words[first:last] for first, last in pairwise([0, *cuts, len(words)]))

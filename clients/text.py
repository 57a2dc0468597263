"""Readable text, made from recognised words.

CTC models write one case, no punctuation, and numbers as they are spoken. Case and full stops are added by rules made
for English; events and JSON keep the words as the model wrote them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from asrd.clients.english import CAPITALS
from asrd.core.display import shown
from asrd.core.events import WireWord
from asrd.core.units import Samples, samples


@dataclass(frozen=True, slots=True)
class Style:
    """Style of written text.

    raw: as the model wrote it. numbers: in digits. pause: silence within an utterance that ends a sentence.
    spellings: words and phrases to be written exactly so, such as names ("Saoirse", "New York"); if the list changes,
    that applies from the next words on.
    """

    raw: bool = False
    numbers: bool = False
    pause: Samples = samples(0.5)
    spellings: Sequence[str] = ()

    def naming(self, words: Iterable[str]) -> "Style":
        """Return the style with hot words as spellings too, except those all in one case, whose case says nothing."""
        cased = (word for word in words if word not in (word.lower(), word.upper()))
        return replace(self, spellings=(*cased, *self.spellings))


class Token(NamedTuple):
    """Text between two spaces, and when it was said, in samples."""

    text: str
    start: int
    end: int


def sentences(words: Sequence[WireWord], style: Style, *, begins: bool = True, ends: bool = True) -> list[list[Token]]:
    """Cut the words of an utterance into sentences where the speaker paused; none of the sentences is empty.

    begins, ends: whether the first word begins and the last one ends a sentence. An utterance that was cut because it
    had become too long does not end one, nor does the next one begin one.
    """
    tokens = [Token(shown(word.word), word.start, word.end) for word in words]
    said = list(_split(tokens, style.pause))
    if style.raw:
        return said
    shouted = not any(letter.islower() for token in tokens for letter in token.text)
    said = [_dress(sentence, style, shouted) for sentence in said]
    for number, sentence in enumerate(said):
        first = sentence[0].text
        if (begins or number) and first.islower():
            sentence[0] = sentence[0]._replace(text=re.sub(r"\w", lambda letter: letter[0].upper(), first, count=1))
        if (ends or number < len(said) - 1) and sentence[-1].text[-1] not in ".?!…":
            sentence[-1] = sentence[-1]._replace(text=sentence[-1].text + ".")
    return said


def _split(tokens: Sequence[Token], pause: int) -> Iterator[list[Token]]:
    cuts = [index for index, (one, other) in enumerate(pairwise(tokens), 1) if other.start - one.end >= pause]
    for first, last in pairwise([0, *cuts, len(tokens)]):
        if first < last:
            yield list(tokens[first:last])


def _dress(sentence: list[Token], style: Style, shouted: bool) -> list[Token]:
    """Set case and numbers. shouted: the model knows capitals only, so that they mean nothing."""
    texts = [token.text.lower() if shouted else token.text for token in sentence]
    texts = [text[0].upper() + text[1:] if text.lower() in CAPITALS else text for text in texts]
    for phrase in map(str.split, style.spellings):
        folded = [word.casefold() for word in phrase]
        for first in range(len(texts) - len(phrase) + 1):
            if [text.casefold() for text in texts[first : first + len(phrase)]] == folded:
                texts[first : first + len(phrase)] = phrase
    dressed = [token._replace(text=text) for token, text in zip(sentence, texts, strict=True)]
    if not style.numbers:
        return dressed
    from asrd.clients.numbers import digits

    return [Token(text, sentence[first].start, sentence[last - 1].end) for text, first, last in digits(texts)]


class Writer:
    """The sentences of one stream, utterance after utterance."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._begins = True

    def utterance(self, words: Sequence[WireWord], reason: str) -> list[list[Token]]:
        """Return the sentences of a final. reason: why it ended; the next utterance continues one that had become too
        long.
        """
        said = sentences(words, self._style, begins=self._begins, ends=reason != "length")
        if words:
            self._begins = reason != "length"
        return said

    def partial(self, words: Sequence[WireWord], stable: int) -> tuple[str, str]:
        """Return the settled text of an open utterance, and the rest. stable: characters of its raw text."""
        length, settled = -1, 0
        for word in words:
            length += 1 + len(word.word)
            settled = word.end if length <= stable else settled
        tokens = [token for part in sentences(words, self._style, begins=self._begins, ends=False) for token in part]
        count = sum(token.end <= settled for token in tokens)
        return join([tokens[:count]]), join([tokens[count:]])


def join(said: Sequence[Sequence[Token]]) -> str:
    """Join sentences to running text."""
    return " ".join(token.text for sentence in said for token in sentence)

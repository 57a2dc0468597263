"""Readable text, made from recognised words.

CTC models write one case, no punctuation, and numbers as they are spoken. Sentences, their case and their full stops
are added by rules that hold for all scripts, and more by those of a language; events and JSON keep the words as the
model wrote them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from asrd.clients.english import CAPITALS
from asrd.core import script
from asrd.core.display import shown
from asrd.core.events import WireWord
from asrd.core.language import primary
from asrd.core.units import Samples, samples


@dataclass(frozen=True, slots=True)
class Style:
    """Style of written text.

    raw: as the model wrote it. numbers: in digits, in the languages of `asrd.clients.numbers`. pause: silence within
    an utterance that ends a sentence. spellings: words and phrases to be written exactly so, such as names ("Saoirse",
    "New York"). language: its code, such as "en" or "deu"; "" if it is not known, for what holds everywhere.
    """

    raw: bool = False
    numbers: bool = False
    pause: Samples = samples(0.5)
    spellings: Sequence[str] = ()
    language: str = ""

    @property
    def english(self) -> bool:
        """Whether the rules of English hold."""
        return primary(self.language) == "en"

    def spoken(self, language: str) -> "Style":
        """Return the style for a language, unless it has one."""
        return self if self.language else replace(self, language=language)

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
    tokens = [token for word in words for token in _tokens(word)]
    said = list(_split(tokens, style.pause))
    if style.raw:
        return said
    shouted = not any(letter.islower() for token in tokens for letter in token.text)
    said = [_dress(sentence, style, shouted) for sentence in said]
    for number, sentence in enumerate(said):
        first = sentence[0].text
        if (begins or number) and first.islower():
            sentence[0] = sentence[0]._replace(text=re.sub(r"\w", lambda letter: letter[0].title(), first, count=1))
        if ends or number < len(said) - 1:
            last = sentence[-1].text
            sentence[-1] = sentence[-1]._replace(text=last + script.stop(last))
    return said


def _tokens(word: WireWord) -> Iterator[Token]:
    """Yield what lines may break between, each with its share of the word's time."""
    parts = script.pieces(shown(word.word))
    share = (word.end - word.start) / len(parts)
    for index, part in enumerate(parts):
        yield Token(part, word.start + round(index * share), word.start + round((index + 1) * share))


def _split(tokens: Sequence[Token], pause: int) -> Iterator[list[Token]]:
    cuts = [index for index, (one, other) in enumerate(pairwise(tokens), 1) if other.start - one.end >= pause]
    for first, last in pairwise([0, *cuts, len(tokens)]):
        if first < last:
            yield list(tokens[first:last])


def _dress(sentence: list[Token], style: Style, shouted: bool) -> list[Token]:
    """Set case and numbers. shouted: the model knows capitals only, so that they mean nothing."""
    texts = [token.text.lower() if shouted else token.text for token in sentence]
    if style.english:
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

    return [
        Token(text, sentence[first].start, sentence[last - 1].end)
        for text, first, last in digits(texts, style.language)
    ]


class Writer:
    """The sentences of one stream, utterance after utterance."""

    def __init__(self, style: Style) -> None:
        """style: may be replaced at any time, for the next words."""
        self.style = style
        self._begins = True

    def utterance(self, words: Sequence[WireWord], reason: str) -> list[list[Token]]:
        """Return the sentences of a final. reason: why it ended; the next utterance continues one that had become too
        long.
        """
        said = sentences(words, self.style, begins=self._begins, ends=reason != "length")
        if words:
            self._begins = reason != "length"
        return said

    def partial(self, words: Sequence[WireWord], text: str, stable: int) -> tuple[str, str]:
        """Return the settled text of an open utterance, and the rest. text: its raw text. stable: characters of it."""
        known = sum(end <= stable for end in script.ends((word.word for word in words), text))
        until = words[known - 1].end if known else 0
        tokens = [token for part in sentences(words, self.style, begins=self._begins, ends=False) for token in part]
        count = sum(token.end <= until for token in tokens)
        return join([tokens[:count]]), join([tokens[count:]])


class Writers:
    """A writer for each stream or channel, in one style, which may be replaced at any time, for the next words."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._writers: dict[str | int, Writer] = {}

    def __getitem__(self, stream: str | int) -> Writer:
        writer = self._writers.setdefault(stream, Writer(self.style))
        writer.style = self.style
        return writer

    def drop(self, stream: str | int) -> None:
        """Forget a stream that has ended."""
        self._writers.pop(stream, None)


def join(said: Sequence[Sequence[Token]]) -> str:
    """Join sentences to running text."""
    return script.join(token.text for sentence in said for token in sentence)

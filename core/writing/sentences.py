"""Cut the words of an utterance into sentences, and write them in a style."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from asrd.core import script
from asrd.core.display import shown
from asrd.core.events import WireWord
from asrd.core.writing.english import CAPITALS
from asrd.core.writing.spelling import spellings
from asrd.core.writing.style import Style


class Token(NamedTuple):
    """Text between which lines may break, and when it was said, in samples."""

    text: str
    start: int
    end: int


def sentences(words: Sequence[WireWord], style: Style, *, begins: bool = True, ends: bool = True) -> list[list[Token]]:
    """Cut the words of an utterance into sentences where the speaker paused; none of the sentences is empty.

    begins, ends: whether the first word begins and the last one ends a sentence. An utterance that was cut because it
    had become too long does not end one, nor does the next one begin one.
    """
    tokens = _tokens(words)
    return _written(tokens, style, shouted=_shouted(tokens, style), begins=begins, ends=ends)


def unfinished(
    words: Sequence[WireWord], known: int, style: Style, *, begins: bool = True
) -> tuple[list[list[Token]], list[list[Token]]]:
    """Return the sentences of an utterance that may go on, and of them what stays as it is whatever follows the first
    `known` words, which stay themselves.
    """
    tokens = _tokens(words)
    shouted = _shouted(tokens, style)
    sure = tokens[: sum(len(_parts(word.word)) for word in words[:known])]
    whole = _written(tokens, style, shouted=shouted, begins=begins, ends=False)
    return whole, _written(sure, style, shouted=shouted, begins=begins, ends=False, going_on=True)


def _written(
    tokens: Sequence[Token], style: Style, *, shouted: bool, begins: bool, ends: bool, going_on: bool = False
) -> list[list[Token]]:
    said = list(_split(tokens, style.pause))
    if style.raw:
        return said
    last = len(said) - 1
    said = [_dress(one, style, shouted, going_on=going_on and at == last) for at, one in enumerate(said)]
    said = [sentence for sentence in said if sentence]
    for number, sentence in enumerate(said):
        if begins or number:
            sentence[0] = sentence[0]._replace(text=script.capital(sentence[0].text))
        if ends or number < len(said) - 1:
            text = sentence[-1].text
            sentence[-1] = sentence[-1]._replace(text=text + script.stop(text))
    return said


def join(said: Iterable[Sequence[Token]]) -> str:
    """Join sentences to running text."""
    return script.join(token.text for sentence in said for token in sentence)


def _tokens(words: Iterable[WireWord]) -> list[Token]:
    """Return what lines may break between, each with its share of its word's time."""
    tokens = list[Token]()
    for word in words:
        parts = _parts(word.word)
        share = (word.end - word.start) / max(len(parts), 1)
        for index, part in enumerate(parts):
            tokens.append(Token(part, word.start + round(index * share), word.start + round((index + 1) * share)))
    return tokens


def _shouted(tokens: Iterable[Token], style: Style) -> bool:
    """Return whether capitals mean nothing, because the model knows no other letters."""
    if style.capitals is not None:
        return style.capitals
    return not any(letter.islower() for token in tokens for letter in token.text)


@lru_cache(1 << 14)
def _parts(word: str) -> tuple[str, ...]:
    return tuple(script.pieces(shown(word)))


def _split(tokens: Sequence[Token], pause: int) -> Iterator[list[Token]]:
    cuts = [index for index, (one, other) in enumerate(pairwise(tokens), 1) if other.start - one.end >= pause]
    for first, last in pairwise([0, *cuts, len(tokens)]):
        if first < last:
            yield list(tokens[first:last])


def _dress(sentence: list[Token], style: Style, shouted: bool, *, going_on: bool = False) -> list[Token]:
    """Set case and numbers. going_on: more words may follow; return only those that stay as they are."""
    texts = [token.text.lower() if shouted else token.text for token in sentence]
    if style.english:
        texts = [text[0].upper() + text[1:] if text.lower() in CAPITALS else text for text in texts]
    names = spellings(style.spellings)
    texts = names.apply(texts)[: names.settled(texts) if going_on else None]
    if not style.numbers:
        return [Token(text, token.start, token.end) for token, text in zip(sentence, texts, strict=False)]
    from asrd.core.writing.numbers import digits, settled

    return [
        Token(text, sentence[first].start, sentence[last - 1].end)
        for text, first, last in digits(texts[: settled(texts, style.language) if going_on else None], style.language)
    ]

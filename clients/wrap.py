"""Lines of text, broken where it does least harm."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from asrd.core.script import ENDS, join, space, width
from asrd.core.units import SAMPLE_RATE
from asrd.core.writing.english import JOINTS, LEADERS
from asrd.core.writing.sentences import Token

WIDTH = 42
"""Most columns in a line, of which a Chinese or Japanese letter takes two; two lines make a subtitle."""

CAPACITY = 2 * WIDTH + 1


def length(tokens: Sequence[Token]) -> int:
    """Count the columns of a text, with the spaces between neighbours."""
    return sum(width(token.text) for token in tokens) + sum(_space(one, other) for one, other in pairwise(tokens))


def _space(before: Token, after: Token) -> int:
    return len(space(before.text, after.text))


def harm(before: Token, after: Token, *, english: bool) -> float:
    """Return the cost of a break between two neighbours, about 1 for the worst; a pause makes up for much. english:
    whether the words that belong together are known.
    """
    pause = min(1.0, max(0.0, (after.start - before.end) / (0.3 * SAMPLE_RATE)))
    if before.text[-1] in ",;:，、；：" or before.text[-1] in ENDS:
        cost = 0.0
    elif english and before.text.lower() in LEADERS:
        cost = 1.0
    else:
        cost = 0.1 if english and after.text.lower() in JOINTS else 0.5
    return cost - 0.5 * pause


def wrap(tokens: Sequence[Token], *, english: bool) -> tuple[str, ...] | None:
    """Return one line if the text fits, otherwise two of about the same length; None if they do not suffice."""
    whole = length(tokens)
    if whole <= WIDTH:
        return (_line(tokens),)
    best: tuple[float, int] | None = None
    upper = 0
    for index, (before, after) in enumerate(pairwise(tokens), 1):
        upper += width(before.text)
        lower = whole - upper - _space(before, after)
        if upper <= WIDTH and lower <= WIDTH:
            cost = abs(upper - lower) / WIDTH + harm(before, after, english=english)
            best = min(best, (cost, index)) if best else (cost, index)
        upper += _space(before, after)
    return (_line(tokens[: best[1]]), _line(tokens[best[1] :])) if best else None


def chop(tokens: Sequence[Token]) -> Iterator[Token]:
    """Cut words wider than a line into pieces, each with its share of the time."""
    for token in tokens:
        parts = [token.text]
        while width(parts[-1]) > WIDTH:
            cut = _fitting(parts[-1])
            parts[-1:] = [parts[-1][:cut] + "-", parts[-1][cut:]]
        for index, part in enumerate(parts):
            share = (token.end - token.start) / len(parts)
            yield Token(part, token.start + round(index * share), token.start + round((index + 1) * share))


def _fitting(word: str) -> int:
    """Count the letters of a word that leave room for a hyphen in their line."""
    return sum(columns < WIDTH for columns in accumulate(map(width, word)))


def _line(tokens: Sequence[Token]) -> str:
    return join(token.text for token in tokens)

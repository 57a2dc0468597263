"""Lines of text, broken where it does least harm."""

from collections.abc import Iterator, Sequence

from asrd.clients.english import JOINTS, LEADERS
from asrd.clients.text import Token
from asrd.core.units import SAMPLE_RATE

WIDTH = 42
"""Most characters in a line; two lines make a subtitle."""

CAPACITY = 2 * WIDTH + 1


def length(tokens: Sequence[Token]) -> int:
    """Count the characters of a text, with a space between neighbours."""
    return sum(len(token.text) for token in tokens) + max(0, len(tokens) - 1)


def harm(before: Token, after: Token) -> float:
    """Return the cost of a break between two neighbours, about 1 for the worst; a pause makes up for much."""
    pause = min(1.0, max(0.0, (after.start - before.end) / (0.3 * SAMPLE_RATE)))
    if before.text[-1] in ",;:.?!":
        cost = 0.0
    elif before.text.lower() in LEADERS:
        cost = 1.0
    else:
        cost = 0.1 if after.text.lower() in JOINTS else 0.5
    return cost - 0.5 * pause


def wrap(tokens: Sequence[Token]) -> tuple[str, ...] | None:
    """Return one line if the text fits, otherwise two of about the same length; None if they do not suffice."""
    whole = length(tokens)
    if whole <= WIDTH:
        return (_line(tokens),)
    best: tuple[float, int] | None = None
    upper = -1
    for index in range(1, len(tokens)):
        upper += 1 + len(tokens[index - 1].text)
        lower = whole - upper - 1
        if upper <= WIDTH and lower <= WIDTH:
            cost = abs(upper - lower) / WIDTH + harm(tokens[index - 1], tokens[index])
            best = min(best, (cost, index)) if best else (cost, index)
    return (_line(tokens[: best[1]]), _line(tokens[best[1] :])) if best else None


def chop(tokens: Sequence[Token]) -> Iterator[Token]:
    """Cut words longer than a line into pieces, each with its share of the time."""
    for token in tokens:
        parts = [token.text]
        while len(parts[-1]) > WIDTH:
            parts[-1:] = [parts[-1][: WIDTH - 1] + "-", parts[-1][WIDTH - 1 :]]
        for index, part in enumerate(parts):
            share = (token.end - token.start) / len(parts)
            yield Token(part, token.start + round(index * share), token.start + round((index + 1) * share))


def _line(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens)

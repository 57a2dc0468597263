"""Layout of subtitles, by the conventions of the trade.

Netflix, "Timed Text Style Guide: General Requirements" (at most two lines; 5/6 s to 7 s; two frames between
subtitles; out-times up to 12 frames after the audio; where to break lines) and "English Template" (42 characters per
line; 17 characters per second). The BBC's "Subtitle Guidelines" ask for much the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from asrd.clients.wrap import CAPACITY, chop, harm, length, wrap
from asrd.core.units import SAMPLE_RATE, Samples, samples
from asrd.core.writing.sentences import Token

SHORTEST, LONGEST = samples(0.834), samples(7)
GAP = samples(0.084)
"""Two frames, at 24 per second."""

LINGER = samples(0.5)
"""Longest time that a subtitle stays after its last word, if nothing follows."""

READING = 17
"""Columns per second, spaces included: characters of the Latin script."""

LATE = samples(1)
"""Longest delay of a subtitle behind its first word, caused by the one before, which needs time to be read. Beyond
it, fast speech must be read faster, and short subtitles flash by; otherwise subtitles would fall further and further
behind.
"""

GRID = SAMPLE_RATE // 1000
"""Samples per millisecond, the unit of both file formats."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle. start, end: samples, on whole milliseconds."""

    start: Samples
    end: Samples
    lines: tuple[str, ...]


class Layout:
    """The subtitles of one stream, utterance after utterance.

    They never overlap, begin with their first word or at most `LATE` after it, hold all words in order, and end with
    a sentence at the latest. The last of an utterance does not wait for the next utterance, so that live subtitles
    and those of a file are the same; it leaves room for one that might follow at once.
    """

    def __init__(self) -> None:
        self._free = 0

    def add(self, sentences: Sequence[Sequence[Token]], *, english: bool = False) -> list[Cue]:
        """Return the subtitles of one utterance, which lies after the earlier ones. english: lines break by its
        rules.
        """
        pieces = [piece for sentence in sentences for piece in _pieces(list(chop(sentence)), english)]
        cues = []
        for index, piece in enumerate(pieces):
            following = pieces[index + 1][0].start if index + 1 < len(pieces) else None
            cue = self._time(piece, following, wrap(piece, english=english) or ())
            self._free = cue.end + GAP
            cues.append(cue)
        return cues

    def _time(self, piece: Sequence[Token], following: int | None, lines: tuple[str, ...]) -> Cue:
        """Time a subtitle. following: when the next subtitle's first word is said, None if that is unknown."""
        start = max(_up(piece[0].start), self._free)
        said = _up(piece[-1].end)
        read = start + _up(length(piece) * SAMPLE_RATE / READING)
        wanted = said + LINGER if following is None else min(said + LINGER, _up(following) - GAP)
        late = (said if following is None else _up(following)) + LATE - GAP
        end = min(max(start + SHORTEST, read, wanted), start + LONGEST, late)
        return Cue(Samples(start), Samples(max(end, start + GRID)), lines)


def _up(position: float) -> int:
    """Round up to a whole millisecond."""
    return int(-(-position // GRID)) * GRID


def _pieces(sentence: Sequence[Token], english: bool) -> list[Sequence[Token]]:
    """Cut a sentence into subtitles at the least harmful places, by dynamic programming.

    A subtitle costs 1, and more if it is half empty, flashes by, or is cut off from what belongs to it.
    """
    best: list[tuple[float, int]] = [(0.0, 0)]
    for last in range(1, len(sentence) + 1):
        options = []
        for first in range(last - 1, -1, -1):
            if length(sentence[first:last]) > CAPACITY:
                break
            options.append((best[first][0] + _cost(sentence, first, last, english), first))
        best.append(min(options))
    cuts = [len(sentence)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    cuts.reverse()
    return [sentence[first:last] for first, last in pairwise(cuts)]


def _cost(sentence: Sequence[Token], first: int, last: int, english: bool) -> float:
    piece = sentence[first:last]
    if len(piece) > 1 and (wrap(piece, english=english) is None or piece[-1].end - piece[0].start > LONGEST):
        return float("inf")
    empty = 1 - length(piece) / CAPACITY
    cost = 1 + empty * empty
    if last < len(sentence):
        shown = sentence[last].start - piece[0].start
        cost += harm(piece[-1], sentence[last], english=english) + max(0.0, 1 - shown / (SHORTEST + GAP))
    return cost

"""Count words that were lost or repeated where two windows meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import jiwer

from asrd.core.flow import Word
from asrd.quant.data.text import normalize_text


@dataclass(frozen=True, slots=True)
class Joint:
    """The place where one window hands over to the next."""

    place: int
    """Stream position."""
    before: Sequence[Word]
    """Words that the earlier window heard by itself, context included."""
    after: Sequence[Word]
    """Words that the later window heard by itself, context included."""
    start: int
    """Start of the audio whose frames come from the two windows."""
    end: int
    """End of that audio."""


@dataclass(frozen=True, slots=True)
class Seams:
    """Counts of words at joints."""

    count: int = 0
    """Joints."""
    inserted: int = 0
    """Words near a joint in the windows but not in the whole: mostly words heard differently with other context."""
    deleted: int = 0
    """Words near a joint in the whole but not in the windows."""
    duplicated: int = 0
    """Words that joining repeated."""
    dropped: int = 0
    """Words that joining lost."""

    def __add__(self, other: "Seams") -> "Seams":
        """Add the counts of both."""
        return Seams(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def seams(joined: Sequence[Word], whole: Sequence[Word], joints: Sequence[Joint], reach: int) -> Seams:
    """Compare what was heard in windows with what the same backend heard of the whole.

    reach: samples from a joint within which a word counts as near. A word is *duplicated* if it stands twice in a row,
    near a joint and on either side of it, though the whole has it once and so has each window by itself. It is
    *dropped* if the whole and both windows have it, their frames are those of its time, and the joined text has nothing
    there. A joint of two windows is not blamed for what a third window heard differently.
    """
    found, expected, inserted, deleted = _aligned(whole, joined)
    duplicated = sum(
        one.text == two.text and not (expected[index] and expected[index + 1]) and _said_once(one, two, joints, reach)
        for index, (one, two) in enumerate(pairwise(joined))
    )
    lost = [word for word, known in zip(whole, found, strict=True) if not known and not _meets(word, joined)]
    dropped = sum(
        any(
            one.start <= word.start and word.end <= one.end and _has(one.before, word) and _has(one.after, word)
            for one in _near(word, joints, reach)
        )
        for word in lost
    )
    return Seams(
        count=len(joints),
        inserted=sum(bool(_near(joined[index], joints, reach)) for index in inserted),
        deleted=sum(bool(_near(whole[index], joints, reach)) for index in deleted),
        duplicated=duplicated,
        dropped=dropped,
    )


def _said_once(one: Word, two: Word, joints: Sequence[Joint], reach: int) -> bool:
    """Return whether the two lie near a joint, on either side of it, and neither window there has both."""
    return any(
        one.start < joint.place < two.end
        and joint.place - one.end <= reach >= two.start - joint.place
        and not any(_meets(one, words) and _meets(two, words) for words in (joint.before, joint.after))
        for joint in joints
    )


def _near(word: Word, joints: Sequence[Joint], reach: int) -> list[Joint]:
    return [joint for joint in joints if word.start - reach <= joint.place <= word.end + reach]


def _meets(word: Word, others: Sequence[Word]) -> bool:
    """Return whether any of the others overlaps it in time."""
    return any(word.start < other.end and other.start < word.end for other in others)


def _has(words: Sequence[Word], word: Word) -> bool:
    return _meets(word, [other for other in words if other.text == word.text])


def _aligned(
    reference: Sequence[Word], hypothesis: Sequence[Word]
) -> tuple[list[bool], list[bool], list[int], list[int]]:
    """Mark the words of each side that the other has as well, and return the indices of those inserted and deleted."""
    ours, theirs = [False] * len(reference), [False] * len(hypothesis)
    inserted, deleted = list(range(len(hypothesis))), list(range(len(reference)))
    if reference and hypothesis:
        inserted, deleted = [], []
        ones, others = (" ".join(_plain(word) for word in words) for words in (reference, hypothesis))
        for chunk in jiwer.process_words(ones, others).alignments[0]:
            mine = range(chunk.ref_start_idx, chunk.ref_end_idx)
            yours = range(chunk.hyp_start_idx, chunk.hyp_end_idx)
            if chunk.type == "equal":
                for one, other in zip(mine, yours, strict=True):
                    ours[one] = theirs[other] = True
            elif chunk.type == "insert":
                inserted += yours
            elif chunk.type == "delete":
                deleted += mine
    return ours, theirs, inserted, deleted


def _plain(word: Word) -> str:
    """Return its text as it is compared, in one piece."""
    return normalize_text(word.text).replace(" ", "") or "'"

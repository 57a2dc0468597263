"""Differences between the words of two backends."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from asrd.quant.data.text import normalize_text

Words = tuple[tuple[str, bool], ...]
"""Words of a text, each with whether the other text has it too at this place."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One clip, heard by two backends. changed: number of words that differ, on the side that has more of them."""

    id: str
    reference: str
    one: Words
    other: Words
    changed: int


def differences(
    ids: Sequence[str], references: Sequence[str], ones: Sequence[str], others: Sequence[str]
) -> list[Difference]:
    """List all clips that were heard differently, those that differ most first."""
    found = [_difference(*clip) for clip in zip(ids, references, ones, others, strict=True)]
    return sorted((one for one in found if one.changed), key=lambda one: (-one.changed, one.id))


def _difference(name: str, reference: str, one: str, other: str) -> Difference:
    ours, theirs = normalize_text(one).split(), normalize_text(other).split()
    same_ours, same_theirs = set[int](), set[int]()
    for match in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
        same_ours |= set(range(match.a, match.a + match.size))
        same_theirs |= set(range(match.b, match.b + match.size))
    return Difference(
        id=name,
        reference=normalize_text(reference),
        one=tuple((word, index in same_ours) for index, word in enumerate(ours)),
        other=tuple((word, index in same_theirs) for index, word in enumerate(theirs)),
        changed=max(len(ours) - len(same_ours), len(theirs) - len(same_theirs)),
    )

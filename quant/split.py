"""Split clips for calibration, accuracy control and the proof: by default, no two parts share speech."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from asrd.core.errors import UsageError
from asrd.core.units import counted
from asrd.quant.data import Clip

PARTS = ("calibration", "validation", "test")

MOST = 300
"""Most clips to prove by, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Split:
    """The clips of each part. by_speaker: no speaker is heard in two parts."""

    calibration: list[Clip]
    validation: list[Clip]
    test: list[Clip]
    by_speaker: bool


def split(  # noqa: PLR0917 (three sizes, always in this order)
    clips: Sequence[Clip], calibration: int, validation: int, test: int, seed: int, same: bool = False
) -> Split:
    """Draw so many clips for each part at random; the same each time for the same seed.

    Parts share no clip, and no speaker either if all speakers are known and there are enough of them. For that,
    speakers are dealt out greedily: those with the most clips first (chance decides between equals), each to the part
    that still lacks the most clips.
    A part of 0 clips is one that is not needed. same: use one set of clips, as large as the largest part, for all
    three, as NNCF's tutorial does.
    Raises UsageError if there are fewer clips than asked for.
    """
    sizes = dict(zip(PARTS, (calibration, validation, test), strict=True))
    if min(sizes.values()) < 0 or not any(sizes.values()):
        raise UsageError("the parts of a data set cannot be negative, nor all empty; ask for at least one clip")
    asked = max(sizes.values()) if same else sum(sizes.values())
    if asked > len(clips):
        raise UsageError(_too_few(len(clips), sizes, asked, same))
    chance = random.Random(seed)
    if same:
        chosen = [clips[index] for index in _draw(range(len(clips)), asked, chance)]
        return Split(chosen, chosen, chosen, by_speaker=False)
    pools = _by_speaker(clips, sizes, chance)
    parts, rest = [], list(range(len(clips)))
    for part, size in sizes.items():
        drawn = _draw(pools[part] if pools else rest, size, chance)
        rest = sorted(set(rest) - set(drawn))
        parts.append([clips[index] for index in drawn])
    calibrating, steering, proving = parts
    return Split(calibrating, steering, proving, by_speaker=pools is not None)


def proved_on(clips: Sequence[Clip], count: int | None, built: Split, seed: int) -> Split:
    """Replace the test set by one from another data set, without clips that the other parts have too.

    count: None for as many as there are, at most `MOST`. Raises UsageError if there are fewer than asked for.
    """
    heard = [*built.calibration, *built.validation]
    known = {(clip.id, clip.text) for clip in heard}
    fresh = [clip for clip in clips if (clip.id, clip.text) not in known]
    test = split(fresh, 0, 0, count or max(1, min(MOST, len(fresh))), seed).test
    speakers = {clip.speaker for clip in test}
    apart = "" not in speakers and speakers.isdisjoint(clip.speaker for clip in heard)
    return replace(built, test=test, by_speaker=built.by_speaker and apart)


def _by_speaker(clips: Sequence[Clip], sizes: dict[str, int], chance: random.Random) -> dict[str, list[int]] | None:
    """Deal out whole speakers: return the indices for each part, or None if speakers do not allow it."""
    spoken: dict[str, list[int]] = defaultdict(list)
    for index, clip in enumerate(clips):
        spoken[clip.speaker].append(index)
    speakers = sorted(spoken)
    chance.shuffle(speakers)
    pools: dict[str, list[int]] = {part: [] for part in PARTS}
    lacking = dict(sizes)
    for speaker in sorted(speakers, key=lambda name: -len(spoken[name])):
        part = max(PARTS, key=lacking.__getitem__)
        pools[part] += spoken[speaker]
        lacking[part] -= len(spoken[speaker])
    return pools if "" not in spoken and max(lacking.values()) <= 0 else None


def _draw(indices: Sequence[int], count: int, chance: random.Random) -> list[int]:
    """Draw some of them, in the data set's own order."""
    return sorted(chance.sample(indices, count))


def _too_few(present: int, sizes: dict[str, int], asked: int, same: bool) -> str:
    """Say what there is, and what could be asked for instead: parts in the same proportions, none of them empty."""
    wanted = {part: size for part, size in sizes.items() if size}
    least, there = 1 if same else len(wanted), counted(present, "usable clips")
    if present < least:
        return f"the data set has {there}; it needs at least {least}, and many more to tell anything"
    if same:
        fitting = {part: min(size, present) for part, size in wanted.items()}
    else:
        fitting = {part: max(1, size * present // asked) for part, size in wanted.items()}
        largest = max(wanted, key=wanted.__getitem__)
        fitting[largest] += present - sum(fitting.values())
    options = " ".join(f"--{part} {size}" for part, size in fitting.items())
    return f"the data set has {there}, {asked} were asked for; add data, or give {options}"

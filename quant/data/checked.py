"""Find the usable clips of a data set, and fingerprint those that were used."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from asrd.core.errors import AudioError, UsageError
from asrd.quant.data.clip import Clip, Encoded, read
from asrd.quant.data.columns import WHOLE
from asrd.quant.data.text import normalize_text


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking clips. clips: those that can be used. skipped: ids of the others, and why."""

    clips: list[Clip]
    skipped: list[tuple[str, str]]


def check(clips: Sequence[Clip], advance: Callable[[], None] = lambda: None) -> Checked:
    """Decode each clip once, one at a time, and set aside those that nothing can be measured on.

    They are clips that the data set does not describe, without words in their transcript, without readable audio, or
    listed before (the two could land on either side of a split). advance: called after each clip.
    Raises UsageError if none is left.
    """
    kept: dict[str, Clip] = {}
    skipped = []
    for clip in clips:
        if why := "listed twice" if clip.id in kept else _fault(clip):
            skipped.append((clip.id, f"{why} ({clip.where})" if clip.where else why))
        else:
            kept[clip.id] = clip
        advance()
    if not clips:
        raise UsageError("the data set is empty; give one with clips and their transcripts")
    if not kept:
        first, why = skipped[0]
        raise UsageError(f"none of the data set's {len(clips)} clips can be used; the first is {first}: {why}")
    return Checked(list(kept.values()), skipped)


def fingerprint(clips: Iterable[Clip]) -> str:
    """Return the SHA-256 over each clip's id, transcript and undecoded audio, in hexadecimal. Of a cut, it is over
    where it lies and the SHA-256 of its file.
    """
    digest = hashlib.sha256()
    files: dict[Encoded, bytes] = {}
    for clip in clips:
        if clip.span == WHOLE:
            audio = clip.audio.read_bytes()
        else:
            if clip.audio not in files:
                files[clip.audio] = hashlib.sha256(clip.audio.read_bytes()).digest()
            audio = repr(clip.span).encode() + files[clip.audio]
        for part in (clip.id.encode(), clip.text.encode(), audio):
            digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def _fault(clip: Clip) -> str:
    """Return why a clip cannot be used, or ""."""
    if not (clip.fault or normalize_text(clip.text)):
        return "no transcript"
    try:
        read(clip)
    except AudioError as error:
        return str(error).removeprefix(f"{clip.id} ")
    return ""

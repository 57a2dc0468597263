"""Recognised words and whether they are right: what confidences are fitted to and judged by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jiwer

from asrd.backends import Backend
from asrd.daemon.decoding.path import words
from asrd.models.calibration import Evidence
from asrd.quant.data import Clip, read
from asrd.quant.text import normalize_text
from asrd.quant.trust.heard import utterances


class Example(NamedTuple):
    """A recognised word."""

    evidence: Evidence
    right: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """One clip's words. group: its speaker, or the clip itself where that is not known."""

    group: str
    words: list[Example]


def transcripts(
    backend: Backend, clips: Sequence[Clip], advance: Callable[[], None] = lambda: None
) -> list[Transcript]:
    """Let a backend hear clips, as the daemon would. advance: called after each.

    Raises AudioError where a clip cannot be read, BackendError where the backend fails.
    """
    found = []
    stride, vocabulary = backend.model.geometry.stride, backend.model.vocabulary
    for clip in clips:
        spoken = [
            word
            for frames in utterances(backend, read(clip))
            for word in words(frames.log_probs.argmax(axis=1), frames, vocabulary, stride)
        ]
        rights = right(clip.text, [word.text for word in spoken])
        examples = [Example(word.evidence, known) for word, known in zip(spoken, rights, strict=True)]
        found.append(Transcript(clip.speaker or clip.id, examples))
        advance()
    return found


def right(reference: str, heard: Sequence[str]) -> list[bool]:
    """Which of the words are right, by jiwer's alignment, which is that of the word error rate.

    Words are compared as error rates compare them; one that is several words then must be right in each.
    """
    pieces = [(index, piece) for index, word in enumerate(heard) for piece in normalize_text(word).split()]
    wrong = set(range(len(heard))) - {index for index, _ in pieces}
    if said := normalize_text(reference):
        [chunks] = jiwer.process_words(said, " ".join(piece for _, piece in pieces)).alignments
        equal = {
            number
            for chunk in chunks
            if chunk.type == "equal"
            for number in range(chunk.hyp_start_idx, chunk.hyp_end_idx)
        }
        wrong |= {index for number, (index, _) in enumerate(pieces) if number not in equal}
    else:
        wrong = set(range(len(heard)))
    return [index not in wrong for index in range(len(heard))]

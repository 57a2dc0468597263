"""Recognised words and whether they are right: what confidences are fitted to and judged by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import jiwer

from asrd.backends import Backend
from asrd.core.flow import Hypothesis
from asrd.daemon.recognition.decoding import Boosts, Decoder, make_decoding
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.options import DecoderOptions
from asrd.models import ModelDirectory
from asrd.models.calibration import Calibration, Evidence, plain
from asrd.quant.data import Clip, read
from asrd.quant.data.text import normalize_text
from asrd.quant.evaluation.measure import listen


class Example(NamedTuple):
    """A recognised word."""

    evidence: Evidence
    right: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of one clip. group: its speaker, or the clip itself if the speaker is unknown."""

    group: str
    words: list[Example]


def transcripts(
    backend: Backend, clips: Sequence[Clip], advance: Callable[[], None] = lambda: None
) -> list[Transcript]:
    """Let a backend hear clips, as the daemon would. advance: called after each.

    Raises AudioError if a clip cannot be read, BackendError if the backend fails.
    """
    found, notes = [], Notes(backend.model)
    for clip in clips:
        notes.words.clear()
        listen(backend, read(clip), notes)
        rights = right(clip.text, [text for text, _ in notes.words])
        examples = [Example(evidence, known) for (_, evidence), known in zip(notes.words, rights, strict=True)]
        found.append(Transcript(clip.speaker or clip.id, examples))
        advance()
    return found


class Notes:
    """Notes the words that the daemon's decoder found at last, and their evidence.

    The decoder takes this for its calibration, and so asks it about each word, in their order.
    """

    def __init__(self, model: ModelDirectory) -> None:
        self.words: list[tuple[str, Evidence]] = []
        self._asked: list[Evidence] = []
        self._decoding = make_decoding(DecoderOptions(), replace(model, calibration=Calibration(words=self)))

    def of(self, evidence: Evidence) -> float:
        """Note a word of the hypothesis that is being made; return its plain probability."""
        self._asked.append(evidence)
        return plain(evidence)

    def begin(self, boosts: Boosts) -> Decoder:
        """Begin the next utterance."""
        self._decoder = self._decoding.begin(boosts)
        return self

    def decode(self, frames: Frames, settled: int, last: bool) -> Hypothesis:
        """Decode as the daemon's decoder does, and keep the words of the last hypothesis."""
        self._asked.clear()
        hypothesis = self._decoder.decode(frames, settled, last)
        if last:
            self.words += zip([word.text for word in hypothesis.words], self._asked, strict=True)
        return hypothesis


def right(reference: str, heard: Sequence[str]) -> list[bool]:
    """Return which of the words are right, by jiwer's alignment, which is that of the word error rate.

    Words are compared as error rates compare them; a word that is several words then must be right in each.
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

"""Word and character error rates of a backend, over speech with transcripts."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jiwer

from asrd.backends import Backend
from asrd.core.flow import FloatArray, Window
from asrd.core.units import MAX_WINDOW, Samples
from asrd.daemon.level import Moments
from asrd.daemon.recognizer import Recognizer, recognize
from asrd.daemon.settings import SegmenterSettings
from asrd.models import Geometry
from asrd.models.speech import Utterance
from asrd.quant.data import read

NORMALIZATION = "compared in upper case; everything but letters, digits and apostrophes counts as a space"


@dataclass(frozen=True, slots=True)
class Score:
    """Rates as fractions of the reference's words and characters; they can exceed 1."""

    wer: float
    cer: float
    words: int
    characters: int

    def worse_by(self, other: "Score") -> float:
        """How far this lies above `other`, in the rate that suffered more."""
        return max(self.wer - other.wer, self.cer - other.cer)


def normalize_text(text: str) -> str:
    """See `NORMALIZATION`."""
    return " ".join(re.sub(r"[^\w']|_", " ", text.upper().replace("’", "'")).split())


def score(references: Sequence[str], hypotheses: Sequence[str]) -> Score:
    """Error rates over all texts together. References that hold no words are left out."""
    pairs = [(normalize_text(r), normalize_text(h)) for r, h in zip(references, hypotheses, strict=True)]
    said, heard = [r for r, _ in pairs if r], [h for r, h in pairs if r]
    words, letters = jiwer.process_words(said, heard), jiwer.process_characters(said, heard)
    return Score(words.wer, letters.cer, sum(len(r.split()) for r in said), sum(map(len, said)))


def transcribe(
    backend: Backend,
    utterances: Sequence[Utterance],
    whole: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> list[str]:
    """The text of each utterance, recognised and stitched by the daemon's own code.

    whole: give the model each utterance at once, as transformers would, not in windows.
    advance: called after each utterance, to show progress.
    """
    texts = []
    for utterance in utterances:
        recognizer, text = Recognizer(backend.model), ""
        for window in _windows(read(utterance), backend.model.geometry, whole):
            [emission] = recognize(backend, [window])
            text = recognizer.accept(window, emission).text
        texts.append(text)
        advance()
    return texts


def _windows(pcm: FloatArray, geometry: Geometry, whole: bool) -> Iterator[Window]:
    """An utterance's windows without voice activity detection, which is not what is measured here.

    All have the same size, the last one reaching back as far as it must, so audio that does not
    fill the last stride goes unheard. Audio too short for a single frame has no windows.
    """
    if geometry.frames(len(pcm)) == 0:
        return
    moments = Moments()
    moments.add(pcm)
    size = len(pcm) if whole else min(len(pcm), MAX_WINDOW)
    settings = SegmenterSettings()
    stride = geometry.stride
    final = (len(pcm) - size) // stride * stride
    kept = 0
    while True:
        start = min(max(kept - settings.left_context, 0) // stride * stride, final)
        last = start == final
        right = 0 if last else settings.right_context
        yield Window(
            utterance=0,
            start=Samples(start),
            pcm=pcm[start : start + size],
            left=Samples(kept - start),
            right=Samples(right),
            level=moments.level(),
            last=last,
        )
        if last:
            return
        kept = start + size - right

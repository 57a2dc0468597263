"""What was heard of a file, and the forms in which OpenAI's API returns it."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from asrd.clients.captions import Captions
from asrd.core import script
from asrd.core.events import Final
from asrd.core.units import seconds
from asrd.core.writing.sentences import Token, join
from asrd.core.writing.style import Style
from asrd.core.writing.writer import Writer

LEAST = 1e-10
"""A confidence of zero has no logarithm."""


@dataclass(slots=True)
class Segment:
    """A sentence. confidence: of its words, at least `LEAST`."""

    tokens: Sequence[Token]
    confidence: float


@dataclass(slots=True)
class Transcript:
    """The finals of a file, in order. length: samples."""

    style: Style
    finals: list[Final] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    length: int = 0
    _writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        self._writer = Writer(self.style)

    def add(self, final: Final) -> str:
        """Add a final; return its text, after what stands between it and the one before."""
        before = self.segments[-1].tokens[-1].text if self.segments else ""
        said = self._writer.sentences(final.words, final.reason)
        self.finals.append(final)
        self.segments += [Segment(sentence, max(final.confidence, LEAST)) for sentence in said]
        text = join(said)
        return f"{script.space(before, text)}{text}" if before and text else text

    @property
    def text(self) -> str:
        """All of the text."""
        return join([segment.tokens for segment in self.segments])

    def captions(self, form: str) -> str:
        """Return subtitles, as `asrd transcribe` writes them. form: "srt" or "vtt"."""
        captions, writer = Captions(form), Writer(self.style)
        said = (writer.sentences(final.words, final.reason) for final in self.finals)
        cues = [cue for sentences in said for cue in captions.add(sentences, english=self.style.english)]
        return "".join(f"{part}\n" for part in (*([captions.header] if captions.header else []), *cues)) or "\n"

    @property
    def usage(self) -> dict[str, Any]:
        """What OpenAI would count."""
        return {"type": "duration", "seconds": math.ceil(seconds(self.length))}

    def verbose(self, language: str, *, words: bool, segments: bool) -> dict[str, Any]:
        """Return what `verbose_json` has. language: its name."""
        found: dict[str, Any] = {
            "task": "transcribe",
            "language": language,
            "duration": round(seconds(self.length), 3),
            "text": self.text,
            "usage": self.usage,
        }
        if words:
            tokens = [token for segment in self.segments for token in segment.tokens]
            found["words"] = [{"word": token.text} | _times([token]) for token in tokens]
        if segments:
            found["segments"] = [_segment(number, one) for number, one in enumerate(self.segments)]
        return found


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    text = join([segment.tokens])
    raw = text.encode()
    return {
        "id": number,
        "seek": 0,
        **_times(segment.tokens),
        "text": text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(math.log(segment.confidence), 4),
        "compression_ratio": round(len(raw) / len(zlib.compress(raw)), 4),
        "no_speech_prob": 0.0,
    }


def _times(tokens: Sequence[Token]) -> dict[str, float]:
    return {"start": round(seconds(tokens[0].start), 3), "end": round(seconds(tokens[-1].end), 3)}

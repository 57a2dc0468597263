"""Subtitle files: SubRip (SRT) and WebVTT."""

from collections.abc import Sequence

from asrd.clients.cues import Layout
from asrd.core.units import seconds
from asrd.core.writing.sentences import Token

WEBVTT_HEADER = "WEBVTT\n"


class Captions:
    """The subtitles of one stream for a file, utterance after utterance."""

    def __init__(self, format_: str) -> None:
        self._format, self._layout, self._count = format_, Layout(), 0

    @property
    def header(self) -> str:
        """The first lines of the file; "" for none."""
        return WEBVTT_HEADER if self._format == "vtt" else ""

    def add(self, said: Sequence[Sequence[Token]], *, english: bool = False) -> list[str]:
        """Return the cues of an utterance, each with the empty line that ends it. said: its sentences. english: lines
        break by its rules.
        """
        texts = []
        for cue in self._layout.add(said, english=english):
            self._count += 1
            text = "\n".join(cue.lines)
            texts.append(
                srt_cue(self._count, cue.start, cue.end, text)
                if self._format == "srt"
                else vtt_cue(cue.start, cue.end, text)
            )
        return texts


def srt_cue(number: int, start: int, end: int, text: str) -> str:
    """Format a SubRip cue. number: from 1. start, end: samples."""
    return f"{number}\n{_stamp(start, ',')} --> {_stamp(end, ',')}\n{text}\n"


def vtt_cue(start: int, end: int, text: str) -> str:
    """Format a WebVTT cue. start, end: samples."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{_stamp(start, '.')} --> {_stamp(end, '.')}\n{escaped}\n"


def _stamp(position: int, point: str) -> str:
    """Format a time as hours:minutes:seconds and milliseconds; the formats differ only in the decimal point."""
    milliseconds = round(seconds(position) * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{rest:03}"

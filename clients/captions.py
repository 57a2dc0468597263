"""Subtitle files: SubRip (SRT) and WebVTT."""

from collections.abc import Sequence

from asrd.clients.cues import Layout
from asrd.clients.text import Style, Writer
from asrd.core.events import WireWord
from asrd.core.units import seconds

WEBVTT_HEADER = "WEBVTT\n"


class Captions:
    """The subtitles of one stream for a file, utterance after utterance."""

    def __init__(self, format_: str, style: Style) -> None:
        """style: as in `Writer`."""
        self._format = format_
        self._writer, self._layout = Writer(style), Layout()
        self._count = 0

    def restyle(self, style: Style) -> None:
        """Take another style for the next words."""
        self._writer.style = style

    @property
    def header(self) -> str:
        """The first lines of the file; "" for none."""
        return WEBVTT_HEADER if self._format == "vtt" else ""

    def add(self, words: Sequence[WireWord], reason: str) -> list[str]:
        """Return the cues of an utterance, each with the empty line that ends it. reason: why it ended, as in a
        final.
        """
        texts = []
        said = self._writer.utterance(words, reason)
        for cue in self._layout.add(said, english=self._writer.style.english):
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

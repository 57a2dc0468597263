"""What several channels say, in the order in which it was said, with the channel before it."""

from collections import defaultdict
from typing import TYPE_CHECKING

from asrd.cli.output import Output, wire
from asrd.cli.targets import Put
from asrd.clients.captions import WEBVTT_HEADER, srt_cue, vtt_cue
from asrd.clients.cues import Layout
from asrd.core.writing.sentences import join
from asrd.core.writing.style import Style
from asrd.core.writing.writer import Writers

if TYPE_CHECKING:
    from asrd.daemon.offline import Utterance


class Turns(Output):
    """Text with a line for each turn, or subtitles. One channel is heard after the other, so all is written at the end.

    name: stands before each line of text, if not empty.
    """

    def __init__(self, put: Put, format_: str, style: Style, name: str = "") -> None:
        super().__init__(put)
        self._format, self._name = format_, f"{name} " if name else ""
        self._writers = Writers(style)
        self._layouts = defaultdict[int, Layout](Layout)
        self._turns: list[tuple[int, int, int, str]] = []

    def write(self, utterance: "Utterance") -> None:
        """Keep what the utterance becomes: one line of text, or cues."""
        said = self._writers[self.channel].sentences(wire(utterance), utterance.reason)
        if self._format == "text":
            if text := join(said):
                self._turns.append((utterance.start, utterance.end, self.channel, text))
            return
        for cue in self._layouts[self.channel].add(said, english=self._writers.style.english):
            self._turns.append((cue.start, cue.end, self.channel, "\n".join(cue.lines)))

    def end(self) -> None:
        """Write all turns."""
        if self._format == "vtt":
            self.put(f"{WEBVTT_HEADER}\n")
        for number, turn in enumerate(sorted(self._turns), 1):
            self.put(self._shown(number, *turn))
        if not self._turns and self._format != "vtt":
            self.put("\n")

    def _shown(self, number: int, start: int, end: int, channel: int, text: str) -> str:
        if self._format == "text":
            return f"{self._name}{channel}: {text}\n"
        if self._format == "srt":
            return f"{srt_cue(number, start, end, f'{channel}: {text}')}\n"
        times, _, words = vtt_cue(start, end, text).partition("\n")
        return f"{times}\n<v {channel}>{words}\n"

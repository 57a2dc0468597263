"""Output of `asrd transcribe`: each utterance is written as soon as it is final."""

import json
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from asrd.cli.targets import Put
from asrd.clients import Style, Writer
from asrd.clients.captions import Captions
from asrd.core import script
from asrd.core.events import WireWord
from asrd.core.units import seconds
from asrd.core.writing.writer import Writers

if TYPE_CHECKING:
    from asrd.daemon.offline import Utterance


class Output:
    """Base of all formats. It begins with the first utterance and is always ended, so that Ctrl-C keeps all that was
    heard. put: writes text. channel: the one that utterances come from, 0 if channels are mixed. length: seconds read.
    """

    begun = False
    channel = 0
    length = 0.0

    def __init__(self, put: Put) -> None:
        self.put = put

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End the output, unless the command failed before there was any."""
        if self.begun or kind is None:
            self._begin()
            self.end()

    def add(self, utterance: "Utterance") -> None:
        """Write an utterance, and the beginning before the first."""
        self._begin()
        self.write(utterance)

    def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            self.begin()

    def begin(self) -> None:
        """Write what comes before all utterances."""

    def write(self, utterance: "Utterance") -> None:
        """Write one utterance."""
        raise NotImplementedError

    def end(self) -> None:
        """Write what comes after all utterances."""


class Text(Output):
    """Plain text in one line. name: stands before it, if not empty."""

    def __init__(self, put: Put, style: Style, name: str = "") -> None:
        super().__init__(put)
        self._writer, self._space = Writer(style), f"{name}: " if name else ""

    def write(self, utterance: "Utterance") -> None:
        """Write its sentences."""
        if text := self._writer.final(wire(utterance), utterance.reason):
            self.put(f"{self._space}{text}")
            self._space = " "

    def end(self) -> None:
        """End the line."""
        self.put("\n" if self._space in ("", " ") else f"{self._space.rstrip()}\n")


class Subtitles(Output):
    """A file of subtitles; one without any holds an empty line."""

    def __init__(self, put: Put, format_: str, style: Style) -> None:
        super().__init__(put)
        self._writer, self._captions = Writer(style), Captions(format_)
        self._empty = not self._captions.header

    def begin(self) -> None:
        """Write the first lines of the file."""
        if self._captions.header:
            self.put(f"{self._captions.header}\n")

    def write(self, utterance: "Utterance") -> None:
        """Write its cues."""
        said = self._writer.sentences(wire(utterance), utterance.reason)
        for cue in self._captions.add(said, english=self._writer.style.english):
            self.put(f"{cue}\n")
            self._empty = False

    def end(self) -> None:
        """Write an empty line if there is nothing else."""
        if self._empty:
            self.put("\n")


class Json(Output):
    """A JSON object on one line. Its text comes before its words, so it is written when all of them are known.

    Where channels are heard apart, each word has its `channel`, and they and the text are in the order in which they
    were said.
    """

    def __init__(self, put: Put, style: Style, facts: dict[str, Any]) -> None:
        """Hold nothing yet. style: of what is displayed. facts: other fields of the object."""
        super().__init__(put)
        self._facts, self._writers = facts, Writers(style)
        self._heard = list[tuple[int, "Utterance", str]]()

    def write(self, utterance: "Utterance") -> None:
        """Keep the utterance until the end."""
        display = self._writers[self.channel].final(wire(utterance), utterance.reason)
        self._heard.append((self.channel, utterance, display))

    def end(self) -> None:
        """Write all that was heard."""
        heard = sorted(self._heard, key=lambda one: one[1].start)
        words = [
            {
                "word": word.text,
                "start": round(seconds(word.start), 3),
                "end": round(seconds(word.end), 3),
                "confidence": round(word.confidence, 4),
            }
            | ({"channel": channel} if channel else {})
            for channel, utterance, _ in heard
            for word in utterance.hypothesis.words
        ]
        said = {
            "text": " ".join(utterance.hypothesis.text for _, utterance, _ in heard if utterance.hypothesis.text),
            "display": script.join(display for _, _, display in heard if display),
        }
        record = {"file": "", **said, "words": words, "duration": round(self.length, 3)} | self._facts
        self.put(f"{json.dumps(record, ensure_ascii=False)}\n")


def wire(utterance: "Utterance") -> list[WireWord]:
    """Return the words of an utterance as clients get them."""
    return [WireWord(word.text, word.start, word.end, word.confidence) for word in utterance.hypothesis.words]

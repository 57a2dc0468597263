"""Output of `asrd transcribe`: each utterance is written as soon as it is final."""

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from asrd.cli.say import echo
from asrd.clients.captions import Captions
from asrd.clients.text import Style, Writer, join
from asrd.core.events import WireWord
from asrd.core.units import seconds

if TYPE_CHECKING:
    from asrd.daemon.offline import Utterance


class Output:
    """Base of all formats. It begins with the first utterance and is always ended, so that Ctrl-C keeps all that was
    heard.
    """

    begun = False

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
    """Plain text in one line."""

    def __init__(self, style: Style) -> None:
        self._writer, self._space = Writer(style), ""

    def write(self, utterance: "Utterance") -> None:
        """Write its sentences."""
        if text := join(self._writer.utterance(_words(utterance), utterance.reason)):
            echo(f"{self._space}{text}", nl=False)
            self._space = " "

    def end(self) -> None:
        """End the line."""
        echo()


class Subtitles(Output):
    """A file of subtitles; one without any holds an empty line."""

    def __init__(self, format_: str, style: Style) -> None:
        self._captions = Captions(format_, style)
        self._empty = not self._captions.header

    def begin(self) -> None:
        """Write the first lines of the file."""
        if self._captions.header:
            echo(self._captions.header)

    def write(self, utterance: "Utterance") -> None:
        """Write its cues."""
        for cue in self._captions.add(_words(utterance), utterance.reason):
            echo(cue)
            self._empty = False

    def end(self) -> None:
        """Write an empty line if there is nothing else."""
        if self._empty:
            echo()


class Json(Output):
    """A JSON object on one line. Its text comes before its words, so it is written when all of them are known."""

    def __init__(self, facts: dict[str, Any]) -> None:
        """Hold nothing yet. facts: other fields of the object."""
        self._facts, self._heard = facts, list["Utterance"]()

    def write(self, utterance: "Utterance") -> None:
        """Keep the utterance until the end."""
        self._heard.append(utterance)

    def end(self) -> None:
        """Write all that was heard."""
        from asrd.daemon.sources.files import duration

        words = [
            {
                "word": word.text,
                "start": round(seconds(word.start), 3),
                "end": round(seconds(word.end), 3),
                "confidence": round(word.confidence, 4),
            }
            for utterance in self._heard
            for word in utterance.hypothesis.words
        ]
        text = " ".join(utterance.hypothesis.text for utterance in self._heard if utterance.hypothesis.text)
        length = round(duration(Path(self._facts["file"])) or 0.0, 3)
        record = {"file": "", "text": text, "words": words, "duration": length} | self._facts
        echo(json.dumps(record, ensure_ascii=False))


def _words(utterance: "Utterance") -> list[WireWord]:
    return [WireWord(word.text, word.start, word.end, word.confidence) for word in utterance.hypothesis.words]

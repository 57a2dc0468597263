"""What `asrd transcribe` writes of a recording: each utterance as soon as it is final."""

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from asrd.clients.captions import Captions
from asrd.clients.text import Style, Writer, join
from asrd.core.events import WireWord
from asrd.core.units import seconds

if TYPE_CHECKING:
    from asrd.daemon.offline import Utterance


class Output:
    """What begins with the first utterance, and is ended whatever happens: Ctrl-C leaves all that was heard."""

    begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Nothing is written of what failed before there was anything."""
        if self.begun or kind is None:
            self._begin()
            self.end()

    def add(self, utterance: "Utterance") -> None:
        """Write it."""
        self._begin()
        self.write(utterance)

    def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            self.begin()

    def begin(self) -> None:
        """What comes before all utterances."""

    def write(self, utterance: "Utterance") -> None:
        """An utterance."""
        raise NotImplementedError

    def end(self) -> None:
        """What comes after them."""


class Text(Output):
    """One line."""

    def __init__(self, style: Style) -> None:
        self._writer, self._space = Writer(style), ""

    def write(self, utterance: "Utterance") -> None:
        """Its sentences."""
        if text := join(self._writer.utterance(_words(utterance), utterance.reason)):
            click.echo(f"{self._space}{text}", nl=False)
            self._space = " "

    def end(self) -> None:
        """The end of the line."""
        click.echo()


class Subtitles(Output):
    """A file of them; one without any holds an empty line."""

    def __init__(self, format_: str, style: Style) -> None:
        self._captions = Captions(format_, style)
        self._empty = not self._captions.header

    def begin(self) -> None:
        """What a file begins with."""
        if self._captions.header:
            click.echo(self._captions.header)

    def write(self, utterance: "Utterance") -> None:
        """Its cues."""
        for cue in self._captions.add(_words(utterance), utterance.reason):
            click.echo(cue)
            self._empty = False

    def end(self) -> None:
        """An empty line where there is nothing else."""
        if self._empty:
            click.echo()


class Json(Output):
    """An object on one line. It has the text before the words, so it is written when all of them are known."""

    def __init__(self, facts: dict[str, Any]) -> None:
        """facts: what else it says."""
        self._facts, self._heard = facts, list["Utterance"]()

    def write(self, utterance: "Utterance") -> None:
        """Keep it."""
        self._heard.append(utterance)

    def end(self) -> None:
        """All that was heard."""
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
        length = round(duration(Path(self._facts["file"])), 3)
        record = {"file": "", "text": text, "words": words, "duration": length} | self._facts
        click.echo(json.dumps(record, ensure_ascii=False))


def _words(utterance: "Utterance") -> list[WireWord]:
    return [WireWord(word.text, word.start, word.end, word.confidence) for word in utterance.hypothesis.words]

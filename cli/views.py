"""Views of `asrd listen`: JSON, subtitles, lines of text, or live on a terminal."""

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from asrd.cli.plain import plain_console
from asrd.cli.say import echo
from asrd.clients import Hole, Reader
from asrd.clients.captions import Captions
from asrd.clients.clock import Clock
from asrd.core.display import shown
from asrd.core.events import AnyEvent, Behind, Ended, Error, Final, Gap, Partial, Paused, Resumed, Status, encode
from asrd.core.units import seconds

if TYPE_CHECKING:
    from rich.table import Table


class View(Protocol):
    """Shows events one way."""

    def show(self, item: AnyEvent | Hole) -> None:
        """Take the next event or hole."""
        ...

    def close(self) -> None:
        """Leave the terminal tidy."""
        ...


def view(format_: str, reader: Reader, streams: Collection[str] = ()) -> View:
    """Return the view for a format; text is redrawn in place on a terminal. reader: sees all events before they are
    shown. streams: those chosen; none means all.
    """
    if format_ == "json":
        return _Lines(reader)
    if format_ in ("srt", "vtt"):
        return _Subtitles(reader, Captions(format_))
    return Live(reader) if sys.stdout.isatty() else _Texts(reader, streams)


class _Lines:
    """Writes one event per line, as it was on the wire but for what it displays."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def show(self, item: AnyEvent | Hole) -> None:
        if not isinstance(item, Hole):
            echo(encode(self._reader.written(item)).decode())

    def close(self) -> None:
        pass


class Finals:
    """Writes finals, for a pipe or a file; what went wrong goes to standard error."""

    def show(self, item: AnyEvent | Hole) -> None:
        """Take the next event or hole."""
        if isinstance(item, Final):
            self.write(item)
        elif isinstance(item, Gap):
            echo(shown(f"asrd: {item.stream} at {seconds(item.start):.1f} s: {_not_heard(item)}"), err=True)
        elif isinstance(item, Error):
            echo(shown(f"asrd: {item.stream}: {item.message}"), err=True)

    def write(self, final: Final) -> None:
        """Write what was said."""
        raise NotImplementedError

    def close(self) -> None:
        """Do nothing: there is nothing to tidy."""


class _Texts(Finals):
    """Writes one line per utterance, with the name of its stream if there are several."""

    def __init__(self, reader: Reader, streams: Collection[str]) -> None:
        self._reader, self._streams = reader, streams
        self._several = len(streams) > 1

    def show(self, item: AnyEvent | Hole) -> None:
        if isinstance(item, Status) and not self._streams:
            self._several = len(item.streams) > 1 or bool(item.entrances)
        super().show(item)

    def write(self, final: Final) -> None:
        if text := self._reader.final(final):
            echo(shown(f"{final.stream}: {text}" if self._several else text))


class _Subtitles(Finals):
    """Writes subtitles of the stream that is heard first: each stream has a clock of its own. It goes on when the
    daemon is restarted, so that the times of a file never go back.
    """

    def __init__(self, reader: Reader, captions: Captions) -> None:
        self._reader, self._captions, self._clock = reader, captions, Clock()
        self._stream = ""
        self._left_out = set[str]()
        if captions.header:
            echo(captions.header)

    def write(self, final: Final) -> None:
        self._stream = self._stream or final.stream
        if final.stream == self._stream:
            said = self._reader.sentences(final.stream, self._clock.words(final), final.reason)
            for cue in self._captions.add(said, english=self._reader.style.english):
                echo(cue)
        elif final.stream not in self._left_out:
            self._left_out.add(final.stream)
            others = f"asrd: subtitles are of '{self._stream}'; choose '{final.stream}' with --stream"
            echo(shown(others), err=True)


class Live:
    """Shows events on a terminal: finals scroll up, open utterances are redrawn below, one line per stream.

    The stable part of a partial is bright, the rest, which may still change, is dim.
    """

    def __init__(self, reader: Reader | None = None) -> None:
        from rich.console import Group
        from rich.live import Live as Region

        self._group = Group
        self._reader = reader or Reader()
        self._open: dict[str, Partial] = {}
        self._daemon = ""
        self._region = Region(console=plain_console(), auto_refresh=False, transient=True)
        self._region.start()

    def show(self, item: AnyEvent | Hole) -> None:
        """Redraw only when something visible has changed."""
        if isinstance(item, Hole) or item.daemon != self._daemon:  # finals of open utterances may be lost or never come
            self._daemon = item.daemon
            self._open.clear()
            self._redraw()
        if isinstance(item, Partial):
            self._open[item.stream] = item
            self._redraw()
        elif isinstance(item, Final):
            self._open.pop(item.stream, None)
            self._redraw()
            if text := self._reader.final(item):
                self._print(item.stream, seconds(item.start), text, "")
        elif isinstance(item, Paused | Resumed | Ended):
            self._print(item.stream, seconds(item.position), f"[{type(item).__name__.lower()}]", "yellow")
        elif isinstance(item, Gap):
            self._print(item.stream, seconds(item.start), f"[{_not_heard(item)}]", "yellow")
        elif isinstance(item, Behind):
            self._print(item.slowest, None, f"[{_lateness(item)}]", "yellow")
        elif isinstance(item, Error):
            self._print(item.stream, None, f"[{item.message}]", "red")

    def close(self) -> None:
        """Remove the open lines; finals stay."""
        self._region.stop()

    def _redraw(self) -> None:
        self._region.update(self._group(*map(self._partial, self._open.values())), refresh=True)

    def _print(self, stream: str, at: float | None, text: str, style: str) -> None:
        self._region.console.print(self._line(stream, at, (text, style)))

    def _partial(self, partial: Partial) -> "Table":
        text, stable = self._reader.partial(partial)
        return self._line(
            partial.stream, seconds(partial.start), (text[:stable], ""), (f"{text[stable:]} …", "dim italic")
        )

    def _line(self, stream: str, at: float | None, *text: tuple[str, str]) -> "Table":
        """Lay out time, stream and text in columns, so that long text is wrapped under itself."""
        from rich.table import Table
        from rich.text import Text

        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(width=10, justify="right", style="dim")
        line.add_column(style="cyan", no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(
            "" if at is None else f"{at:.1f} s",
            shown(stream),
            Text.assemble(*((shown(part), look) for part, look in text)),
        )
        return line


def _lateness(item: Behind) -> str:
    return f"{item.seconds:.1f} s behind; left out: {', '.join(item.measures)}" if item.measures else "on time again"


def _not_heard(gap: Gap) -> str:
    return f"{seconds(gap.end - gap.start):.1f} s not heard: {gap.reason}"

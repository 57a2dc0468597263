"""`asrd transcribe`: files to text, without a daemon."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asrd.cli.config import ConfiguredCommand
from asrd.cli.errors import tell
from asrd.cli.options import format_option, text_options, text_style
from asrd.cli.plain import plain_console
from asrd.cli.recognition import check_words, recognition, recognition_options
from asrd.clients.captions import Captions
from asrd.clients.text import Style, Writer, join
from asrd.core.errors import AsrdError, UsageError
from asrd.core.events import WireWord
from asrd.core.units import seconds

if TYPE_CHECKING:
    from asrd.daemon.offline import Utterance


@click.command(cls=ConfiguredCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@format_option
@text_options
@recognition_options
@click.pass_context
def transcribe(ctx: click.Context, /, files: tuple[Path, ...], format_: str, **params: Any) -> None:
    """Transcribe recordings as fast as this machine can; the text is the daemon's.

    Text is one line a file, and subtitles follow the conventions of the trade, both with sentences and
    case; JSON has the words as the model wrote them, as --raw does.

    A file that cannot be read, or only in part, is reported and the others are still transcribed; the
    exit code is then that of the worst.

    \b
    Examples:
      asrd transcribe talk.flac
      asrd transcribe talk.flac --format srt --numbers --spelling "Jane Austen" > talk.srt
      asrd transcribe *.wav --format json > talks.jsonl
    """
    from asrd.backends import load
    from asrd.daemon.decoding import make_decoding
    from asrd.daemon.hotwords import HotWords
    from asrd.daemon.offline import transcribe_file
    from asrd.models.store import resolve

    if format_ in ("srt", "vtt") and len(files) > 1:
        raise UsageError(f"--format {format_} makes one file of subtitles; transcribe one recording at a time")
    check_words(ctx)
    options = recognition(params)
    model = resolve(options.model)
    decoding = make_decoding(options.decoding, model)
    boosts = HotWords(params["words"], decoding).boosts
    style = text_style(params).naming(boosts)
    backend = load(options.backend, model, options.load)

    def write(path: Path, utterances: "list[Utterance]") -> str:
        if format_ == "json":
            return _json(path, utterances, options.backend, model.name)
        return _text(utterances, style) if format_ == "text" else _subtitles(utterances, format_, style)

    code = 0
    for path in files:
        utterances: list[Utterance] = []
        damage: AsrdError | None = None
        try:
            with progress(path) as heard:
                utterances += map(heard, transcribe_file(path, backend, options, decoding, boosts))
        except AsrdError as error:
            damage = error
        if utterances or not damage:
            click.echo(write(path, utterances))
        if damage:
            tell(damage)
            code = max(code, damage.exit_code)
    backend.close()
    ctx.exit(code)


@contextmanager
def progress(path: Path) -> "Iterator[Callable[[Utterance], Utterance]]":
    """A bar with the time left, on a terminal's standard error; counts utterances passed through it."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from asrd.daemon.sources.files import duration

    console = plain_console(stderr=True)
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(path.name, total=duration(path))

        def heard(utterance: "Utterance") -> "Utterance":
            bar.update(task, completed=seconds(utterance.end))
            return utterance

        yield heard


def _json(path: Path, utterances: "list[Utterance]", backend: str, model: str) -> str:
    from asrd.daemon.sources.files import duration

    words = [
        {
            "word": word.text,
            "start": round(seconds(word.start), 3),
            "end": round(seconds(word.end), 3),
            "confidence": round(word.confidence, 4),
        }
        for utterance in utterances
        for word in utterance.hypothesis.words
    ]
    record = {
        "file": str(path),
        "text": " ".join(utterance.hypothesis.text for utterance in utterances if utterance.hypothesis.text),
        "words": words,
        "duration": round(duration(path), 3),
        "backend": backend,
        "model": model,
    }
    return json.dumps(record, ensure_ascii=False)


def _text(utterances: "list[Utterance]", style: Style) -> str:
    writer = Writer(style)
    said = (writer.utterance(_words(utterance), utterance.reason) for utterance in utterances)
    return " ".join(filter(None, map(join, said)))


def _subtitles(utterances: "list[Utterance]", format_: str, style: Style) -> str:
    captions = Captions(format_, style)
    cues = [cue for utterance in utterances for cue in captions.add(_words(utterance), utterance.reason)]
    return "\n".join([captions.header, *cues] if captions.header else cues)


def _words(utterance: "Utterance") -> list[WireWord]:
    return [WireWord(word.text, word.start, word.end, word.confidence) for word in utterance.hypothesis.words]

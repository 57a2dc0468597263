"""`asrd transcribe`: files to text, without a daemon."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asrd.cli.config import ConfiguredCommand
from asrd.cli.errors import tell
from asrd.cli.options import format_option, text_options, text_style
from asrd.cli.output import Json, Output, Subtitles, Text
from asrd.cli.plain import plain_console
from asrd.cli.recognition import check_words, recognition, recognition_options
from asrd.cli.say import echo
from asrd.cli.signals import orderly
from asrd.core.errors import AsrdError, UsageError
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

    Text is one line per file, and subtitles follow the conventions of the trade; both have sentences and
    case. JSON has the words as the model wrote them, as --raw does. Output is written as it is heard, JSON when a
    file is done; Ctrl-C keeps what was heard until then.

    A file that cannot be read, or only in part, is reported and the others are still transcribed; the
    exit code is then that of the worst.

    \b
    Examples:
      asrd transcribe talk.flac
      asrd transcribe talk.flac --format srt --numbers --spelling "Jane Austen" > talk.srt
      asrd transcribe *.wav --format json > talks.jsonl
    """
    from asrd.backends import load
    from asrd.daemon.offline import transcribe_file
    from asrd.daemon.recognition.decoding import make_decoding
    from asrd.daemon.recognition.hotwords import HotWords
    from asrd.models.store import resolve

    if format_ in ("srt", "vtt") and len(files) > 1:
        raise UsageError(f"--format {format_} makes one file of subtitles; transcribe one recording at a time")
    check_words(ctx)
    options = recognition(params)
    model = resolve(options.model)
    decoding = make_decoding(options.decoding, model)
    boosts = HotWords(params["words"], decoding).boosts
    style = text_style(params).spoken(model.speaks).naming(boosts)
    backend = load(options.backend, model, options.load)

    def output(path: Path) -> Output:
        if format_ == "json":
            return Json({"file": str(path), "backend": options.backend, "model": model.name})
        return Text(style) if format_ == "text" else Subtitles(format_, style)

    code = 0
    for path in files:
        words = 0
        try:
            with orderly(), output(path) as written, progress(path) as heard:
                for utterance in transcribe_file(path, backend, options, decoding, boosts):
                    written.add(heard(utterance))
                    words += len(utterance.hypothesis.words)
            if not words:
                echo(f"asrd: no speech was heard in {path}; is it silent, or do its channels cancel?", err=True)
        except AsrdError as error:
            tell(error)
            code = max(code, error.exit_code)
    backend.close()
    ctx.exit(code)


@contextmanager
def progress(path: Path) -> "Iterator[Callable[[Utterance], Utterance]]":
    """Show a bar with the time left, on a terminal's standard error; it counts the utterances passed through it.

    There is none if the text itself appears on a terminal. Standard output is not redirected through it.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from asrd.daemon.sources.files import duration

    console = plain_console(stderr=True)
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
    hidden = not console.is_terminal or sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=False) as bar:
        task = bar.add_task(path.name, total=duration(path))

        def heard(utterance: "Utterance") -> "Utterance":
            bar.update(task, completed=seconds(utterance.end))
            return utterance

        yield heard

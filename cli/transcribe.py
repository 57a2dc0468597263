"""`asrd transcribe`: files to text, without a daemon."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import format_option, recognition, recognition_options
from asrd.cli.plain import plain_console
from asrd.clients.captions import WEBVTT_HEADER, srt_cue, vtt_cue
from asrd.core.units import seconds

if TYPE_CHECKING:
    from asrd.daemon.offline import Utterance


@click.command(cls=ConfiguredCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@recognition_options
@format_option
@click.pass_context
def transcribe(ctx: click.Context, /, files: tuple[Path, ...], format_: str, **params: Any) -> None:
    """Transcribe recordings as fast as this machine can; the text is the daemon's.

    A file that cannot be read, or only in part, is reported and the others are still transcribed; the
    exit code is then 1.

    \b
    Examples:
      asrd transcribe talk.flac
      asrd transcribe *.wav --format json > talks.jsonl
    """
    from asrd.backends import load
    from asrd.core.errors import AudioError, UsageError
    from asrd.daemon.offline import transcribe_file
    from asrd.models.store import resolve

    if format_ in ("srt", "vtt") and len(files) > 1:
        raise UsageError(f"--format {format_} makes one file of subtitles; transcribe one recording at a time")
    options = recognition(params)
    model = resolve(options.model)
    backend = load(options.backend, model, options.load)
    write: dict[str, Callable[[Path, list[Utterance]], str]] = {
        "text": lambda _, utterances: " ".join(u.hypothesis.text for u in utterances if u.hypothesis.text),
        "json": lambda path, utterances: _json(path, utterances, options.backend, model.name),
        "srt": lambda _, utterances: _srt(utterances),
        "vtt": lambda _, utterances: _vtt(utterances),
    }
    failed = False
    for path in files:
        utterances: list[Utterance] = []
        damage: AudioError | None = None
        try:
            with progress(path) as heard:
                utterances += map(heard, transcribe_file(path, backend, options))
        except AudioError as error:
            damage = error
        if utterances or not damage:
            click.echo(write[format_](path, utterances))
        if damage:
            click.echo(f"asrd: {damage}", err=True)
            failed = True
    backend.close()
    ctx.exit(1 if failed else 0)


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


def _srt(utterances: "list[Utterance]") -> str:
    spoken = [utterance for utterance in utterances if utterance.hypothesis.text]
    return "\n".join(srt_cue(n, u.start, u.end, u.hypothesis.text) for n, u in enumerate(spoken, 1))


def _vtt(utterances: "list[Utterance]") -> str:
    cues = [vtt_cue(u.start, u.end, u.hypothesis.text) for u in utterances if u.hypothesis.text]
    return "\n".join([WEBVTT_HEADER, *cues])

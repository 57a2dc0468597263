"""`asrd transcribe`: files to text, without a daemon."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup

from asrd.cli.bar import Bar
from asrd.cli.config import ConfiguredCommand
from asrd.cli.errors import tell
from asrd.cli.logs import log
from asrd.cli.options import format_option, text_options, text_style
from asrd.cli.output import Json, Output, Subtitles, Text
from asrd.cli.recognition import check_words, recognition, recognition_options
from asrd.cli.recordings import Input, inputs
from asrd.cli.say import echo
from asrd.cli.signals import orderly
from asrd.cli.targets import Put, targets, writing
from asrd.cli.turns import Turns
from asrd.cli.values import Channels
from asrd.core.errors import AsrdError, AudioError, UsageError
from asrd.core.pcm import MAX_CHANNELS, MAX_RATE, MIN_RATE
from asrd.core.raw import ENCODINGS, RawPcm

if TYPE_CHECKING:
    from asrd.daemon.offline import Utterance
    from asrd.daemon.sources.files import Recording

_INPUT = cloup.option_group(
    "Input",
    cloup.option(
        "--channels",
        type=Channels(),
        default="mix",
        show_default=True,
        help="Average all channels, hear each by itself, as of a call with a speaker on either side, or only "
        "number N, from 1.",
    ),
    cloup.option("--rate", type=click.IntRange(MIN_RATE, MAX_RATE), help="Rate, in Hz, of raw PCM without a header."),
    cloup.option(
        "--encoding", type=click.Choice(ENCODINGS), default="s16le", show_default=True, help="Samples of raw PCM."
    ),
    cloup.option(
        "--pcm-channels",
        type=click.IntRange(1, MAX_CHANNELS),
        default=1,
        show_default=True,
        help="Channels of raw PCM.",
    ),
)

_OUTPUT = cloup.option_group(
    "Output",
    format_option,
    cloup.option("-o", "--output", metavar="DIR|FILE", help="Write to a file, or to one for each recording in DIR."),
    cloup.option("--skip-existing", is_flag=True, help="Leave out recordings whose file is there already."),
)


@click.command(cls=ConfiguredCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False, allow_dash=True))
@_INPUT
@_OUTPUT
@text_options
@recognition_options
@click.pass_context
def transcribe(ctx: click.Context, /, files: tuple[Path, ...], format_: str, **params: Any) -> None:
    """Transcribe recordings as fast as this machine can; the text is the daemon's.

    Recordings are files of audio or video, directories of them, or - for standard input. All usual formats are read:
    WAV, FLAC, MP3, M4A, MP4, Ogg, Opus, WebM, WMA, AMR and more. Input that is no file is kept in a temporary file
    until it ends.

    Text is one line per file, and subtitles follow the conventions of the trade; both have sentences and
    case, and so has 'display' in JSON; 'text' there is what the model wrote. Output is written as it is heard, JSON
    when a file is done; Ctrl-C keeps what was heard until then. Subtitles of several recordings are written beside
    them.

    With --channels each, lines of text begin with the number of the channel, and so do subtitles. With mix, channels
    that hold nothing but silence or hum are left out.

    A file that cannot be read, or only in part, is reported and the others are still transcribed; the
    exit code is then that of the worst.

    \b
    Examples:
      asrd transcribe talk.m4a
      asrd transcribe talk.flac --format srt --numbers --spelling "Jane Austen" > talk.srt
      asrd transcribe *.wav --format json > talks.jsonl
      asrd transcribe recordings/ --format srt -o subtitles/ --skip-existing
      asrd transcribe call.wav --channels each
      arecord -d 60 -f S16_LE -r 16000 -t raw | asrd transcribe --rate 16000 -
    """
    from asrd.backends import load
    from asrd.daemon.offline import transcribe_file
    from asrd.daemon.recognition.decoding import make_decoding
    from asrd.daemon.recognition.hotwords import HotWords
    from asrd.models.store import resolve

    log(logging.WARNING)
    rate, each = params["rate"], params["channels"] == "each"
    found = inputs(files, RawPcm(rate, params["pcm_channels"], params["encoding"]) if rate else None)
    jobs = list(zip(found, targets(found, format_, params["output"]), strict=True))
    if params["skip_existing"]:
        if any(target is None for _, target in jobs):
            raise UsageError("--skip-existing needs files to look for; name a directory with -o")
        jobs = [(one, target) for one, target in jobs if target and not target.exists()]
    check_words(ctx)
    options = replace(recognition(params), style=text_style(params))
    model = resolve(options.model)
    decoding = make_decoding(options.decoding, model)
    boosts = HotWords(params["words"], decoding).boosts
    style = options.style_of(model).naming(boosts)
    backend = load(options.backend, model, options.load)

    def output(one: Input, put: Put, target: Path | None) -> Output:
        name = str(one.path) if target is None and len(found) > 1 else ""
        if format_ == "json":
            return Json(put, style, {"file": str(one.path), "backend": options.backend, "model": model.name})
        if each:
            return Turns(put, format_, style, name)
        return Text(put, style, name) if format_ == "text" else Subtitles(put, format_, style)

    def hear(recording: "Recording") -> "Iterator[Utterance]":
        return transcribe_file(recording, backend, options, decoding, boosts)

    code, failed = 0, list[str]()
    with Bar([one.path for one, _ in jobs], any(target is None for _, target in jobs)) as bar:
        for one, target in jobs:
            try:
                with orderly(), one.recording() as recording, writing(target) as put, output(one, put, target) as text:
                    bar.begin(one.path)
                    if not _write(recording, text, params["channels"], hear, bar):
                        hint = "is it silent, or do its channels cancel (see --channels)?"
                        echo(f"asrd: no speech was heard in {one.name}; {hint}", err=True)
            except AsrdError as error:
                tell(error)
                code, failed = max(code, error.exit_code), [*failed, one.name]
    backend.close()
    if failed and len(jobs) > 1:
        echo(f"asrd: {len(failed)} of {len(jobs)} recordings failed: {', '.join(failed)}", err=True)
    ctx.exit(code)


def _write(
    recording: "Recording",
    output: Output,
    channels: str | int,
    hear: "Callable[[Recording], Iterator[Utterance]]",
    bar: Bar,
) -> int:
    """Write what is heard in a recording, channel by channel if that is asked for. Return the number of words.

    Raises the error of a damaged recording when all that can be heard is written.
    """
    words, damage = 0, None
    for number in _numbers(recording, channels):
        output.channel = number if number and channels == "each" else 0
        part = replace(recording, channel=number)
        try:
            for utterance in hear(part):
                output.add(utterance)
                words += len(utterance.hypothesis.words)
                bar.update(utterance.end)
        except AudioError as error:
            damage = damage or error
        finally:
            output.length = max(output.length, part.heard)
    if damage:
        raise damage
    return words


def _numbers(recording: "Recording", channels: str | int) -> list[int | None]:
    """Return the channels to hear one after the other, from 1; None for all of them together."""
    if channels == "each":
        with closing(recording.open()) as reader:
            return list(range(1, reader.channels + 1))
    return [None if channels == "mix" else int(channels)]

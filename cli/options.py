"""Options that several commands share: where the daemon is, and how text is written."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import cloup
from click.core import ParameterSource

from asrd.cli.values import SPAN
from asrd.clients import Style
from asrd.core.addresses import control_address, events_address
from asrd.core.key import chosen
from asrd.core.units import samples

Command = TypeVar("Command", bound=Callable[..., Any])

record_option = cloup.option(
    "--record",
    type=click.Path(path_type=Path, file_okay=False),
    help="Record all audio and events in this directory, for 'asrd replay'. Default: no recording.",
)
journal_option = cloup.option(
    "--journal",
    metavar="DIR|FILE",
    type=click.Path(path_type=Path),
    help="Where the daemon keeps events over restarts. Default: a file of yours.",
)
events_option = cloup.option(
    "--events", default=events_address, show_default="a Unix socket of yours", help="Address the daemon publishes on."
)
control_option, own_control_option = (
    cloup.option(
        "--control",
        default=default,
        show_default="a Unix socket of yours",
        help="Address for requests to the daemon.",
    )
    for default in (control_address, partial(control_address, own=True))
)
key_option = cloup.option(
    "--key",
    metavar="FILE",
    default=chosen,
    show_default="yours, if there is one",
    help="Key file for TCP connections, or none. Clients need the same key; see 'asrd key --help'.",
)
insecure_option = cloup.option("--insecure", is_flag=True, help="Accept TCP connections from anyone, without a key.")
format_option = cloup.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "srt", "vtt"]),
    default="text",
    show_default=True,
    help="Output format: text to read, JSON lines, or subtitles.",
)


def source_options(*default: str) -> Callable[[Command], Command]:
    """Return what adds the options for sources. default: those heard if none is given."""
    return cloup.option_group(
        "Sources",
        cloup.option(
            "--source",
            "-s",
            multiple=True,
            default=list(default),
            show_default=True if default else "none",
            help="Audio source: mic, mic:NAME, a file, pcm:- (stdin), or pcm:tcp://HOST:PORT with "
            "?streams=each for a stream of each sender. NAME=SOURCE names the stream. Repeatable.",
        ),
        cloup.option(
            "--pace",
            type=click.Choice(["realtime", "fast"]),
            default="realtime",
            show_default=True,
            help="Playback speed of file sources.",
        ),
    )


_TEXT = cloup.option_group(
    "Text",
    cloup.option("--raw/--no-raw", help="Write text as the model does: no case, no sentences."),
    cloup.option("--numbers/--no-numbers", help="Write numbers in digits: 23, 3.14, 1984."),
    cloup.option(
        "--language",
        metavar="CODE",
        default="",
        show_default="the model's",
        help="Language of the text, such as en or deu, for its rules of case, numbers and line breaks.",
    ),
    cloup.option(
        "--sentence-pause",
        default=0.5,
        type=SPAN,
        show_default=True,
        help="Seconds of silence that end a sentence within an utterance.",
    ),
    cloup.option(
        "--spelling",
        multiple=True,
        metavar="WORDS",
        help='Spelling of a name, such as "Saoirse Ronan". Repeatable.',
    ),
)


_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "raw": ("raw", bool),
    "numbers": ("numbers", bool),
    "language": ("language", str),
    "sentence_pause": ("pause", samples),
    "spelling": ("spellings", tuple),
}
"""The field of `Style` that each parameter gives, and how it is made."""

TEXT_PARAMETERS = tuple(_FIELDS)


def text_options(command: Command) -> Command:
    """Add the options for text that people read; `text_style` and `own_style` read them."""
    return _TEXT(command)


def text_style(params: dict[str, Any]) -> Style:
    """Return the style that a command's parameters ask for."""
    return Style(**{field: make(params[name]) for name, (field, make) in _FIELDS.items()})


def own_style(ctx: click.Context) -> dict[str, Any]:
    """Return the fields of the style that somebody has chosen for a command; the others are the daemon's."""
    chosen = (name for name in _FIELDS if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT)
    return {field: make(ctx.params[name]) for name in chosen for field, make in [_FIELDS[name]]}

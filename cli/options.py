"""Options that several commands share."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from platformdirs import user_config_path

from asrd.clients.text import Style
from asrd.core.endpoints import control_endpoint, events_endpoint
from asrd.core.units import samples

Command = TypeVar("Command", bound=Callable[..., Any])


class Seconds(click.FloatRange):
    """From 0 to a bound. NaN, which is neither below nor above anything, is refused as well."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or click's own complaint."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


class Size(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """Bytes, as people write them: 500MB, 2GB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes, or click's own complaint."""
        units = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
        parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
        if not parts or parts[2] not in units:
            self.fail(f"{value} is no size; write it as 500MB or 2GB.", param, ctx)
        return int(float(parts[1]) * units[parts[2]])


SPAN = Seconds(0, 60)
"""Of audio that is kept or waited for."""

PATIENCE = Seconds(0, 86_400)
"""How long a command waits."""

_RECOGNITION = [
    click.option("--backend", default="int8", show_default=True, help="See 'asrd backend list'."),
    click.option("--model", default="asrd-tiny-en", show_default=True, help="A bundled name, directory or hub id."),
    click.option("--device", default="CPU", show_default=True, help="The runtime's own name for a device."),
    click.option("--threads", default=0, help="Threads for inference; 0 leaves it to the runtime."),
    click.option(
        "--vad",
        default="webrtc",
        show_default=True,
        help="What finds speech: webrtc, energy or silero, and how strictly: webrtc:0 to webrtc:3, energy:DECIBELS, "
        "silero:PROBABILITY.",
    ),
    click.option(
        "--pre-roll", default=0.3, type=SPAN, show_default=True, help="Seconds kept before speech was noticed."
    ),
    click.option(
        "--min-speech", default=0.1, type=SPAN, show_default=True, help="Seconds of speech that start an utterance."
    ),
    click.option(
        "--hangover",
        default=0.6,
        type=SPAN,
        show_default=True,
        help="Seconds of silence that end an utterance at first.",
    ),
    click.option(
        "--min-hangover",
        default=0.3,
        type=SPAN,
        show_default=True,
        help="The least that the speaker's pauses make of it.",
    ),
    click.option(
        "--max-hangover",
        default=0.9,
        type=SPAN,
        show_default=True,
        help="The most. The same for all three: it is fixed.",
    ),
    click.option("--hop", default=0.6, type=SPAN, show_default=True, help="Seconds of new audio a window settles."),
    click.option(
        "--right-context", default=0.4, type=SPAN, show_default=True, help="Seconds a window hears beyond those."
    ),
    click.option("--max-utterance", default=25.0, type=SPAN, show_default=True, help="Seconds after which one is cut."),
]


_DECODING = [
    click.option(
        "--decoder",
        type=click.Choice(["greedy", "beam"]),
        show_default="beam, where it is installed",
        help="Of finals; partials are greedy.",
    ),
    click.option("--lm", show_default="the model's own", help="Language model: en, a file of KenLM's, or none."),
    click.option("--beam-width", default=64, type=click.IntRange(1, 1000), show_default=True, help="Hypotheses kept."),
    click.option(
        "--lm-weight", type=click.FloatRange(0, 10), show_default="the model's own", help="Of its log-probabilities."
    ),
    click.option(
        "--word-bonus", type=click.FloatRange(-20, 20), show_default="the model's own", help="Nats for every word."
    ),
    click.option(
        "--words",
        type=click.Path(path_type=Path),
        default=lambda: user_config_path("asrd") / "words.json",
        show_default="yours",
        help="File in which hot words are kept; see 'asrd words'.",
    ),
]


def recognition_options(command: Command) -> Command:
    """What decides the text; `recognition` makes the options object of them."""
    for option in reversed([*_RECOGNITION, *_DECODING]):
        command = option(command)
    return command


def decoding_options(command: Command) -> Command:
    """The part of them that is about decoding."""
    for option in reversed(_DECODING):
        command = option(command)
    return command


def recognition(params: dict[str, Any], partials: float = 0.0) -> Any:
    """RecognitionOptions of a command's parameters. Raises UsageError for values that contradict."""
    from asrd.backends import LoadOptions
    from asrd.daemon.decoding.options import DecoderOptions, default_decoder
    from asrd.daemon.options import RecognitionOptions
    from asrd.daemon.settings import SegmenterSettings

    return RecognitionOptions(
        backend=params["backend"],
        model=params["model"],
        load=LoadOptions(device=params["device"], threads=params["threads"]),
        vad=params["vad"],
        segmenter=SegmenterSettings(
            hop=samples(params["hop"]),
            right_context=samples(params["right_context"]),
            pre_roll=samples(params["pre_roll"]),
            min_speech=samples(params["min_speech"]),
            hangover=samples(params["hangover"]),
            min_hangover=samples(params["min_hangover"]),
            max_hangover=samples(params["max_hangover"]),
            tail=samples(min(0.2, params["min_hangover"])),
            max_utterance=samples(params["max_utterance"]),
            partial_interval=samples(partials),
        ),
        decoding=DecoderOptions(
            decoder=params["decoder"] or default_decoder(),
            lm=params["lm"],
            beam_width=params["beam_width"],
            lm_weight=params["lm_weight"],
            word_bonus=params["word_bonus"],
        ),
    )


record_option = click.option(
    "--record",
    type=click.Path(path_type=Path),
    help="Keep all audio and events in this directory, for 'asrd replay'. Off unless given.",
)
events_option = click.option(
    "--events", default=events_endpoint, show_default="a Unix socket of yours", help="Where the daemon publishes."
)
control_option = click.option(
    "--control", default=control_endpoint, show_default="a Unix socket of yours", help="Where it takes requests."
)
format_option = click.option(
    "--format", "format_", type=click.Choice(["text", "json", "srt", "vtt"]), default="text", show_default=True
)

_TEXT = [
    click.option("--raw", is_flag=True, help="Text as the model wrote it: no case, no sentences."),
    click.option("--numbers", is_flag=True, help="Numbers in digits: 23, 3.14, 1984."),
    click.option(
        "--sentence-pause",
        default=0.5,
        type=SPAN,
        show_default=True,
        help="Seconds of silence that end a sentence in mid-utterance.",
    ),
    click.option(
        "--spelling",
        multiple=True,
        metavar="WORDS",
        help='A name to be written just so, for example "Saoirse Ronan". Repeatable.',
    ),
]


def text_options(command: Command) -> Command:
    """How text for people is written; `text_style` makes the style of them. JSON is never touched."""
    for option in reversed(_TEXT):
        command = option(command)
    return command


def text_style(params: dict[str, Any]) -> Style:
    """The style of a command's parameters."""
    return Style(
        raw=params["raw"],
        numbers=params["numbers"],
        pause=samples(params["sentence_pause"]),
        spellings=tuple(params["spelling"]),
    )

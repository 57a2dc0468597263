"""Options that decide the text, for all commands that make any."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from platformdirs import user_config_path

from asrd.cli.signals import at_once
from asrd.cli.values import SPAN, Number
from asrd.core.errors import UsageError
from asrd.core.units import samples

Command = TypeVar("Command", bound=Callable[..., Any])

_RECOGNITION = [
    click.option(
        "--backend", default="int8", show_default=True, help="Backend to run the model on; see 'asrd backend list'."
    ),
    click.option(
        "--model", default="asrd-tiny-en", show_default=True, help="Model: a bundled name, a directory or a hub id."
    ),
    click.option("--device", default="CPU", show_default=True, help="Device, as the runtime names it."),
    click.option(
        "--threads",
        default=0,
        type=click.IntRange(0),
        show_default=True,
        help="Threads for inference. 0: the runtime decides.",
    ),
    click.option(
        "--vad",
        default="webrtc",
        show_default=True,
        help="Voice activity detector and its threshold: webrtc:0 (lenient) to webrtc:3 (strict), energy:DECIBELS, "
        "silero:PROBABILITY.",
    ),
    click.option(
        "--pre-roll",
        default=0.3,
        type=SPAN,
        show_default=True,
        help="Seconds of audio kept from before the detected start of speech.",
    ),
    click.option(
        "--min-speech",
        default=0.1,
        type=SPAN,
        show_default=True,
        help="Seconds of speech needed to start an utterance.",
    ),
    click.option(
        "--hangover",
        default=0.6,
        type=SPAN,
        show_default=True,
        help="Seconds of silence that end an utterance, before it has adapted to the speaker.",
    ),
    click.option(
        "--min-hangover",
        default=0.3,
        type=SPAN,
        show_default=True,
        help="Lower bound, in seconds, for the hangover as it adapts to the speaker's pauses.",
    ),
    click.option(
        "--max-hangover",
        default=0.9,
        type=SPAN,
        show_default=True,
        help="Upper bound, in seconds. Set it to --min-hangover for a fixed hangover.",
    ),
    click.option("--hop", default=0.6, type=SPAN, show_default=True, help="Seconds of new audio per window."),
    click.option(
        "--right-context",
        default=0.4,
        type=SPAN,
        show_default=True,
        help="Seconds of audio after the hop that a window also hears.",
    ),
    click.option(
        "--max-utterance",
        default=25.0,
        type=SPAN,
        show_default=True,
        help="Longest utterance, in seconds. A longer one is cut.",
    ),
]


beam_width_option = click.option(
    "--beam-width",
    default=100,
    type=click.IntRange(1, 1000),
    show_default=True,
    help="Hypotheses kept during beam search.",
)

_DECODING = [
    click.option(
        "--decoder",
        type=click.Choice(["greedy", "beam"]),
        show_default="beam, where it is installed",
        help="Decoder for finals. Partials are always decoded greedily.",
    ),
    click.option("--lm", show_default="the model's own", help="Language model: en, a KenLM file, or none."),
    beam_width_option,
    click.option(
        "--lm-weight",
        type=Number(0, 10),
        show_default="the model's own",
        help="Weight of the language model's log-probabilities.",
    ),
    click.option(
        "--word-bonus", type=Number(-20, 20), show_default="the model's own", help="Bonus for each word, in nats."
    ),
    click.option(
        "--blank-penalty",
        type=Number(-10, 10),
        show_default="the model's own",
        help="Penalty on the blank, in nats per frame.",
    ),
    click.option(
        "--unknown-penalty",
        type=Number(0, 100),
        show_default="the model's own",
        help="Penalty on words the language model does not know, subtracted from its log10 probability.",
    ),
    click.option(
        "--words",
        type=click.Path(path_type=Path, dir_okay=False),
        default=lambda: user_config_path("asrd") / "words.json",
        show_default="yours",
        help="File that holds the hot words; see 'asrd words'.",
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


def check_words(ctx: click.Context) -> None:
    """Raise UsageError where hot words were asked for by name and are not there, which only `asrd start` may do: it
    keeps new ones there.
    """
    path = ctx.params["words"]
    if ctx.get_parameter_source("words") is ParameterSource.COMMANDLINE and not path.exists():
        raise UsageError(f"no hot words file {path}; check the path")


def recognition(params: dict[str, Any], partials: float = 0.0) -> Any:
    """RecognitionOptions of a command's parameters. Raises UsageError for values that contradict."""
    with at_once():
        from asrd.backends import LoadOptions
        from asrd.daemon.options import RecognitionOptions
        from asrd.daemon.recognition.decoding.options import DecoderOptions, default_decoder
        from asrd.daemon.segmentation.settings import SegmenterSettings

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
            blank_penalty=params["blank_penalty"],
            unknown_penalty=params["unknown_penalty"],
        ),
    )

"""Options that affect the text, for all commands that produce any."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import cloup
from click.core import ParameterSource
from platformdirs import user_config_path

from asrd.cli import complete
from asrd.cli.signals import at_once
from asrd.cli.values import SPAN, Number
from asrd.core.errors import UsageError
from asrd.core.units import samples
from asrd.models.store import DEFAULT_MODEL

Command = TypeVar("Command", bound=Callable[..., Any])

backend_option = cloup.option(
    "--backend",
    default="int8",
    show_default=True,
    shell_complete=complete.backends,
    help="Backend to run the model on; see 'asrd backend list'.",
)
model_option = cloup.option(
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    shell_complete=complete.models,
    help="Model: a bundled name, a directory or a hub id.",
)

_MODEL = cloup.option_group(
    "Model",
    backend_option,
    model_option,
    cloup.option("--device", default="CPU", show_default=True, help="Device, as the runtime names it."),
    cloup.option(
        "--threads",
        default=0,
        type=click.IntRange(0),
        show_default=True,
        help="Threads for inference. 0: the runtime decides.",
    ),
)

_ENDPOINTING = cloup.option_group(
    "Endpointing",
    cloup.option(
        "--vad",
        default="webrtc",
        show_default=True,
        help="Voice activity detector and its threshold: webrtc:0 (lenient) to webrtc:3 (strict), energy:DECIBELS, "
        "silero:PROBABILITY.",
    ),
    cloup.option(
        "--pre-roll",
        default=0.3,
        type=SPAN,
        show_default=True,
        help="Seconds of audio kept from before the detected start of speech.",
    ),
    cloup.option(
        "--min-speech",
        default=0.1,
        type=SPAN,
        show_default=True,
        help="Seconds of speech needed to start an utterance.",
    ),
    cloup.option(
        "--hangover",
        default=0.6,
        type=SPAN,
        show_default=True,
        help="Seconds of silence that end an utterance, before it has adapted to the speaker.",
    ),
    cloup.option(
        "--min-hangover",
        default=0.3,
        type=SPAN,
        show_default=True,
        help="Lower bound, in seconds, for the hangover as it adapts to the speaker's pauses.",
    ),
    cloup.option(
        "--max-hangover",
        default=0.9,
        type=SPAN,
        show_default=True,
        help="Upper bound, in seconds. Set it to --min-hangover for a fixed hangover.",
    ),
    cloup.option(
        "--max-utterance",
        default=25.0,
        type=SPAN,
        show_default=True,
        help="Longest utterance, in seconds. A longer one is cut.",
    ),
)

_WINDOWS = cloup.option_group(
    "Windows",
    cloup.option("--hop", default=0.6, type=SPAN, show_default=True, help="Seconds of new audio per window."),
    cloup.option(
        "--right-context",
        default=0.4,
        type=SPAN,
        show_default=True,
        help="Seconds of audio after the hop that a window also hears.",
    ),
)

beam_width_option = cloup.option(
    "--beam-width",
    default=100,
    type=click.IntRange(1, 1000),
    show_default=True,
    help="Hypotheses kept during beam search.",
)

_DECODING = cloup.option_group(
    "Decoding",
    cloup.option(
        "--decoder",
        type=click.Choice(["greedy", "beam"]),
        show_default="beam, where it is installed",
        help="Decoder for finals. Partials are always decoded greedily.",
    ),
    cloup.option("--lm", show_default="the model's own", help="Language model: en, a KenLM file, or none."),
    beam_width_option,
    cloup.option(
        "--lm-weight",
        type=Number(0, 10),
        show_default="the model's own",
        help="Weight of the language model's log-probabilities.",
    ),
    cloup.option(
        "--word-bonus", type=Number(-20, 20), show_default="the model's own", help="Bonus for each word, in nats."
    ),
    cloup.option(
        "--blank-penalty",
        type=Number(-10, 10),
        show_default="the model's own",
        help="Penalty on the blank, in nats per frame.",
    ),
    cloup.option(
        "--unknown-penalty",
        type=Number(0, 100),
        show_default="the model's own",
        help="Penalty on words the language model does not know, subtracted from its log10 probability.",
    ),
    cloup.option(
        "--words",
        type=click.Path(path_type=Path, dir_okay=False),
        default=lambda: user_config_path("asrd") / "words.json",
        show_default="yours",
        help="File that holds the hot words; see 'asrd words'.",
    ),
)


def recognition_options(command: Command) -> Command:
    """Add the options that affect the text. `recognition` makes the options object from them."""
    return _MODEL(_ENDPOINTING(_WINDOWS(_DECODING(command))))


def decoding_options(command: Command) -> Command:
    """Add the options about decoding alone."""
    return _DECODING(command)


def check_words(ctx: click.Context) -> None:
    """Raise UsageError if --words names a file that is missing. Only `asrd start` allows that: it keeps new words
    there.
    """
    path = ctx.params["words"]
    if ctx.get_parameter_source("words") is ParameterSource.COMMANDLINE and not path.exists():
        raise UsageError(f"no hot words file {path}; check the path")


def recognition(params: dict[str, Any], partials: float = 0.0) -> Any:
    """Make RecognitionOptions from a command's parameters. Raises UsageError for values that contradict each other."""
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

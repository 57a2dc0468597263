"""Options that affect the text, for all commands that produce any."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click
import cloup
from click.core import ParameterSource

from asrd.cli import complete
from asrd.cli.signals import at_once
from asrd.cli.values import SPAN, Number
from asrd.core import home
from asrd.core.defaults import BACKEND, VAD
from asrd.core.errors import AsrdError, UsageError
from asrd.core.units import seconds
from asrd.daemon.segmentation.settings import DEFAULTS, SegmenterSettings
from asrd.models.store import DEFAULT_MODEL

Command = TypeVar("Command", bound=Callable[..., Any])

SPANS = (
    *("pre_roll", "min_speech", "hangover", "min_hangover", "max_hangover", "max_utterance"),
    *("hop", "right_context"),
)
"""Settings of segmentation that have an option of the same name."""

backend_option = cloup.option(
    "--backend",
    show_default="the fastest that the model has",
    shell_complete=complete.backends,
    help="Backend to run the model on; see 'asrd backend list'.",
)
model_option = cloup.option(
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    shell_complete=complete.models,
    help="Model: a bundled name, a directory or a hub id; with @LANGUAGE if it has several.",
)


def _span(name: str, text: str, follows: str = "") -> Callable[[Command], Command]:
    """An option for one of `SegmenterSettings`, in seconds; its default is the one said there. follows: what else the
    default may be, decided there.
    """
    flag, default = f"--{name.replace('_', '-')}", seconds(getattr(DEFAULTS, name))
    if follows:
        return cloup.option(flag, type=SPAN, show_default=f"{default:g}, or {follows}", help=text)
    return cloup.option(flag, default=default, type=SPAN, show_default=True, help=text)


arithmetic_option = cloup.option(
    "--arithmetic",
    type=click.Choice(["auto", "f32", "bf16"]),
    default="auto",
    show_default=True,
    help="Compute what is in floating point in 32 bits or in 16, which CPUs with AMX do faster. "
    "auto: bf16 there, if the INT8 model is proved with it.",
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
    arithmetic_option,
)

_SERVER = cloup.option_group(
    "Model server, for --backend kserve",
    cloup.option(
        "--model-server",
        metavar="URL",
        help="Model on a server: http://HOST:PORT/v2/models/NAME, or the same with https, grpc or grpcs.",
    ),
    cloup.option("--model-server-token", metavar="FILE", help="File that holds the server's bearer token."),
    cloup.option(
        "--model-server-ca",
        metavar="FILE",
        show_default="the system's",
        help="Certificates to trust, in PEM, for https and grpcs.",
    ),
)

_ENDPOINTING = cloup.option_group(
    "Endpointing",
    cloup.option(
        "--vad",
        default=VAD,
        show_default=True,
        help="Voice activity detector and its threshold: webrtc:0 (lenient) to webrtc:3 (strict), energy:DECIBELS, "
        "silero:PROBABILITY.",
    ),
    _span("pre_roll", "Seconds of audio kept from before the detected start of speech."),
    _span("min_speech", "Seconds of speech needed to start an utterance."),
    _span("hangover", "Seconds of silence that end an utterance, before it has adapted to the speaker."),
    _span(
        "min_hangover",
        "Lower bound, in seconds, for the hangover as it adapts to the speaker's pauses.",
        "a shorter hangover",
    ),
    _span(
        "max_hangover",
        "Upper bound, in seconds. Set it to --min-hangover for a fixed hangover.",
        "a longer hangover",
    ),
    _span("max_utterance", "Longest utterance, in seconds. A longer one is cut."),
)

_WINDOWS = cloup.option_group(
    "Windows",
    _span("hop", "Seconds of new audio per window."),
    _span("right_context", "Seconds of audio after the hop that a window also hears."),
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
        show_default="beam, where it is installed and can read the model's letters",
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
        default=lambda: home.config() / "words.json",
        show_default="yours",
        help="File that holds the hot words; see 'asrd words'.",
    ),
)


def recognition_options(command: Command) -> Command:
    """Add the options that affect the text. `recognition` makes the options object from them."""
    return _MODEL(_SERVER(_ENDPOINTING(_WINDOWS(_DECODING(command)))))


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


def _spans(params: dict[str, Any]) -> dict[str, float]:
    """Return the lengths given, in seconds."""
    return {name: params[name] for name in SPANS if params[name] is not None}


def arithmetic(choice: str) -> str:
    """Return a choice of --arithmetic as `LoadOptions` takes it."""
    return "" if choice == "auto" else choice


def chosen_backend(params: dict[str, Any]) -> str:
    """Return the backend that was chosen, or else the fastest that the model has."""
    from asrd.backends.registry import fitting
    from asrd.models.store import resolve

    chosen: str | None = params["backend"]
    with suppress(AsrdError):  # whoever loads the model says what is wrong
        return chosen or fitting(resolve(params["model"]))
    return BACKEND


def recognition(params: dict[str, Any], partials: float = 0.0) -> Any:
    """Make RecognitionOptions from a command's parameters. Raises UsageError for values that contradict each other."""
    with at_once():
        from asrd.backends import LoadOptions
        from asrd.daemon.options import RecognitionOptions
        from asrd.daemon.recognition.decoding.options import DecoderOptions

    return RecognitionOptions(
        backend=chosen_backend(params),
        model=params["model"],
        load=LoadOptions(
            device=params["device"],
            threads=params["threads"],
            arithmetic=arithmetic(params["arithmetic"]),
            model_server=params["model_server"] or "",
            model_server_token=params["model_server_token"] or "",
            model_server_ca=params["model_server_ca"] or "",
        ),
        vad=params["vad"],
        segmenter=SegmenterSettings.of_seconds(partial_interval=partials, **_spans(params)),
        decoding=DecoderOptions(
            decoder=params["decoder"] or "",
            lm=params["lm"],
            beam_width=params["beam_width"],
            lm_weight=params["lm_weight"],
            word_bonus=params["word_bonus"],
            blank_penalty=params["blank_penalty"],
            unknown_penalty=params["unknown_penalty"],
        ),
    )

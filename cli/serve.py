"""`asrd serve`: run the daemon, and serve other programs over HTTP and WebSockets."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup

from asrd.cli.config import ConfiguredCommand
from asrd.cli.daemon_options import daemon, daemon_options
from asrd.cli.foreground import run
from asrd.cli.protocols import mqtt, protocol_options, wyoming
from asrd.cli.signals import at_once
from asrd.cli.start import show
from asrd.cli.values import MAX_WAIT, Size
from asrd.core.errors import MissingExtraError
from asrd.gateway.options import IDLE, SESSIONS, UPLOAD, GatewayOptions
from asrd.gateway.ports import HTTP
from asrd.gateway.tls import check_certificate
from asrd.gateway.tokens import read_tokens

if TYPE_CHECKING:
    from asrd.gateway.serve import Gateway


@click.command(cls=ConfiguredCommand)
@cloup.option_group(
    "Gateway",
    cloup.option(
        "--http",
        default=HTTP,
        metavar="HOST:PORT",
        show_default=True,
        help="Address to serve at. Port 0 takes a free one.",
    ),
    cloup.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File of tokens, one a line, that clients need; roles (listen, speak) may follow each. Default: none is "
        "needed, on this machine.",
    ),
    cloup.option("--tls-cert", type=click.Path(path_type=Path, dir_okay=False), help="Certificate for HTTPS, in PEM."),
    cloup.option("--tls-key", type=click.Path(path_type=Path, dir_okay=False), help="Its key, in PEM."),
    cloup.option(
        "--allow-origin",
        multiple=True,
        metavar="URL",
        help="Origin of web pages elsewhere that may connect, such as https://example.org. Repeatable.",
    ),
    cloup.option(
        "--upload-limit",
        default=UPLOAD,
        type=Size(),
        show_default=f"{UPLOAD // 10**6}MB",
        help="Largest size of a file to transcribe.",
    ),
    cloup.option(
        "--sessions",
        default=SESSIONS,
        type=click.IntRange(1),
        show_default=True,
        help="Most clients that are heard at once.",
    ),
    cloup.option(
        "--idle",
        default=IDLE,
        type=MAX_WAIT,
        show_default=True,
        help="Seconds after which a connection that sends nothing is closed.",
    ),
)
@protocol_options
@daemon_options()
@click.pass_context
def serve(ctx: click.Context, /, check: bool, verbose: bool, log_format: str, **params: Any) -> None:
    """Run the daemon as 'asrd start' does, and serve other programs, each with a stream of its own: OpenAI's API for
    transcription, also live over WebSockets, those of vosk-server and Deepgram, and Wyoming for Home Assistant. A
    browser gets captions. What is heard can be published over MQTT. Sources are optional.

    \b
    Examples:
      asrd serve
      asrd serve --wyoming 127.0.0.1:10300
      asrd serve --http 0.0.0.0:8765 --token-file tokens --tls-cert cert.pem --tls-key key.pem
      curl -F file=@talk.m4a -F model=whisper-1 http://127.0.0.1:8765/v1/audio/transcriptions
    """
    options = daemon(params)
    chosen = _options(ctx, params)
    if check:
        if chosen.tokens:
            read_tokens(chosen.tokens)
        check_certificate(chosen)
        if chosen.mqtt:
            chosen.mqtt.secret()
        show(ctx, options, silent=True)
        return
    gateway = _gateway(chosen)
    command: Any = ctx.command
    run(
        options,
        lambda: daemon(command.again(ctx)),
        verbose=verbose,
        log_format=log_format,
        entrances=gateway.entrances,
        up=gateway.attend,
    )


def _options(ctx: click.Context, params: dict[str, Any]) -> GatewayOptions:
    return GatewayOptions(
        http=params["http"],
        tokens=params["token_file"],
        certificate=params["tls_cert"],
        key=params["tls_key"],
        insecure=params["insecure"],
        origins=params["allow_origin"],
        upload=params["upload_limit"],
        idle=params["idle"],
        sessions=params["sessions"],
        wyoming=wyoming(params),
        mqtt=mqtt(ctx, params),
    )


def _gateway(options: GatewayOptions) -> "Gateway":
    try:
        with at_once():
            from asrd.gateway.serve import Gateway

        return Gateway(options)
    except ModuleNotFoundError as error:
        raise MissingExtraError("serve", "'asrd serve'") from error

"""Options of protocols that `asrd serve` speaks beside HTTP."""

from pathlib import Path
from typing import Any

import click
import cloup
from click.core import ParameterSource

from asrd.core.errors import UsageError
from asrd.gateway.mqtt.options import Broker, MqttOptions
from asrd.gateway.wyoming.options import WyomingOptions


class BrokerUrl(click.ParamType[Broker]):
    """The URL of an MQTT broker, which is shown without its password."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Broker:
        """Return the broker, or fail with click's own message."""
        try:
            return value if isinstance(value, Broker) else Broker.parse(str(value))
        except UsageError as error:
            self.fail(f"{error}.", param, ctx)


protocol_options = cloup.option_group(
    "Other protocols",
    cloup.option(
        "--wyoming", metavar="HOST:PORT", help="Serve Wyoming, for Home Assistant, such as at 127.0.0.1:10300."
    ),
    cloup.option("--announce", is_flag=True, help="Let Home Assistant find it by multicast DNS on the local network."),
    cloup.option(
        "--mqtt",
        type=BrokerUrl(),
        metavar="URL",
        help="Publish finals to an MQTT broker: mqtt://USER@HOST:PORT/PREFIX, or mqtts:// with TLS.",
    ),
    cloup.option(
        "--mqtt-password-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File with the password of the user in the URL.",
    ),
    cloup.option(
        "--mqtt-ca",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Certificate, in PEM, that signed the broker's. Default: those that the system trusts.",
    ),
    cloup.option("--mqtt-partials", is_flag=True, help="Publish partials, too."),
)


def wyoming(params: dict[str, Any]) -> WyomingOptions | None:
    """Return where Wyoming is to be served, from a command's parameters. Raises UsageError for what cannot be."""
    address, announce = params["wyoming"], params["announce"]
    if announce and not address:
        raise UsageError("--announce is for Wyoming; say where with --wyoming, such as at 0.0.0.0:10300")
    return WyomingOptions(address, announce, bool(params["token_file"]), params["insecure"]) if address else None


def mqtt(ctx: click.Context, params: dict[str, Any]) -> MqttOptions | None:
    """Return which broker is to be told, from a command's parameters. Raises UsageError for what cannot be."""
    broker, password, authority = params["mqtt"], params["mqtt_password_file"], params["mqtt_ca"]
    if not broker:
        if password or authority or params["mqtt_partials"]:
            raise UsageError("what is published over MQTT needs a broker; name it with --mqtt")
        return None
    if broker.password and ctx.get_parameter_source("mqtt") is ParameterSource.COMMANDLINE:
        raise UsageError(
            "everyone on this machine can see a password on the command line; write it to a file for "
            "--mqtt-password-file, or the URL into asrd.toml"
        )
    return MqttOptions(broker, password, authority, params["mqtt_partials"])

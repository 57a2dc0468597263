"""Sources of settings, the later one wins: defaults < /etc < ~/.config < ASRD_* variables < flags.

A file is TOML with the long names of the options; underscores are as good as dashes:

    backend = "int8"
    source = ["desk=mic:USB"]
    pre-roll = 0.4
    words = "~/words.json"
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import cloup
from click.core import ParameterSource

from asrd.core import home
from asrd.core.config import config_files, read
from asrd.core.errors import UsageError, alternatives

_RECOGNITION = (
    "backend",
    "model",
    "device",
    "threads",
    "arithmetic",
    "model_server",
    "model_server_token",
    "model_server_ca",
    "vad",
    "pre_roll",
    "min_speech",
    "hangover",
    "min_hangover",
    "max_hangover",
    "max_utterance",
    "hop",
    "right_context",
)
_DECODING = ("decoder", "lm", "beam_width", "lm_weight", "word_bonus", "blank_penalty", "unknown_penalty", "words")
_TEXT = ("raw", "numbers", "sentence_pause", "spelling")
_JOURNAL = ("journal", "no_journal", "journal_days", "journal_size")
_RECORD = ("record", "record_limit", "record_hours")
_GATEWAY = (
    "http",
    "token_file",
    "tls_cert",
    "tls_key",
    "allow_origin",
    "upload_limit",
    "sessions",
    "idle",
    "wyoming",
    "announce",
    "mqtt",
    "mqtt_password_file",
    "mqtt_ca",
    "mqtt_partials",
)
SETTINGS = (
    *_RECOGNITION,
    *_DECODING,
    "partials",
    "source",
    "pace",
    "language",
    "events",
    "control",
    "key",
    "insecure",
    "metrics",
    "max_lag",
    "when_behind",
    "log_format",
    "stream",
    "format",
    "wait",
    *_TEXT,
    *_JOURNAL,
    *_RECORD,
    *_GATEWAY,
)
"""Settings that files and variables may have, of all commands together, because they share the files. Anything else
is refused as a misspelling. Options for a single occasion (--check, --json) are not settings.
"""


_GIVEN = "asrd.given"


class ConfiguredCommand(cloup.Command):
    """A command whose options may also be set in files and in the environment."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if (name := setting(parameter)) in SETTINGS:
                parameter.envvar = variable(name)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the files, then parse as usual. An unreadable file is reported only after that, so that --help always
        works.
        """
        given = list(args)
        found: dict[str, tuple[Any, Path]] = {}
        unreadable: UsageError | None = None
        try:
            found = read_files()
        except UsageError as error:
            unreadable = error
        defaults = {}
        for parameter in self.params:
            if isinstance(parameter, click.Option) and (name := setting(parameter)) in found:
                defaults[parameter.name or ""] = _fit(found[name][0], parameter)
        extra.setdefault("default_map", defaults)
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[_GIVEN] = given
        if unreadable:
            raise unreadable
        return context

    def again(self, context: click.Context) -> dict[str, Any]:
        """Return the parameters that the same arguments give now. Raises UsageError for a setting that is wrong."""
        try:
            return self.make_context(context.info_name, list(context.meta[_GIVEN]), context.parent).params
        except click.ClickException as error:
            raise UsageError(error.format_message()) from error


def setting(parameter: click.Parameter) -> str:
    """Return a parameter's name in a file: its long name, dashes as underscores. "" for an argument."""
    if not isinstance(parameter, click.Option):
        return ""
    return max(parameter.opts, key=len).removeprefix("--").replace("-", "_")


def misspelt() -> list[str]:
    """Return what is wrong with environment variables that begin like those of settings, but are none."""
    known = [*map(variable, SETTINGS)]
    found = sorted(name for name in os.environ if name.startswith("ASRD_") and name not in known)
    return [f"{name} is no setting; {alternatives(name, known)}" for name in found]


def variable(name: str) -> str:
    """Return a setting's name in the environment."""
    return f"ASRD_{name.upper()}"


def _fit(value: Any, option: click.Option) -> Any:
    """Return a value as text, as if it were typed, so that a malformed number is refused alike. If one command takes
    many values and another takes one, that is the first.
    """
    values = [one if option.is_flag else str(one) for one in (value if isinstance(value, list) else [value])]
    if option.multiple:
        return values
    return values[0] if values else None


def read_files() -> dict[str, tuple[Any, Path]]:
    """Return every setting found in a file, and the file. Raises UsageError for one that cannot be used."""
    found: dict[str, tuple[Any, Path]] = {}
    for path in config_files():
        for key, value in read(path).items():
            name = key.replace("-", "_")
            if name not in SETTINGS:
                flags = sorted(known.replace("_", "-") for known in SETTINGS)
                raise UsageError(f"{path}: there is no setting '{key}'; {alternatives(key, flags)}")
            found[name] = (_at_home(value), path)
    return found


def _at_home(value: Any) -> Any:
    """Replace the `~/` of paths by the home directory."""
    if isinstance(value, list):
        return [_at_home(item) for item in value]
    return home.expanded(value) if isinstance(value, str) else value


def file_of(parameter: click.Parameter | None, ctx: click.Context) -> Path | None:
    """Return the file that a parameter's value came from; None if it came from elsewhere."""
    if not parameter or ctx.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT_MAP:
        return None
    return read_files()[setting(parameter)][1]


def origins(ctx: click.Context) -> list[tuple[str, Any, str]]:
    """List the settings of a configured command: name, value, and where the value came from."""
    files = read_files()
    names: dict[ParameterSource, Callable[[str], str]] = {
        ParameterSource.COMMANDLINE: lambda _: "flag",
        ParameterSource.ENVIRONMENT: lambda name: f"${variable(name)}",
        ParameterSource.DEFAULT_MAP: lambda name: str(files[name][1]),
    }
    rows = []
    for parameter in ctx.command.params:
        name, source = setting(parameter), ctx.get_parameter_source(parameter.name or "")
        if name in SETTINGS:
            rows.append((name, ctx.params[parameter.name or ""], names[source](name) if source in names else "default"))
    return rows
